import Foundation
import ServiceKit
import Testing

@Suite("Times on the wire") struct TimestampTests {
    @Test(
        "Written with no or six digits",
        arguments: [
            (0.0, "1970-01-01T00:00:00+00:00"), (1_709_210_096.25, "2024-02-29T12:34:56.250000+00:00"),
            (-0.5, "1969-12-31T23:59:59.500000+00:00"), (4_102_444_799.999999, "2099-12-31T23:59:59.999999+00:00"),
        ])
    func written(seconds: Double, text: String) {
        #expect(TimestampFormat.string(Date(timeIntervalSince1970: seconds)) == text)
        #expect(TimestampFormat.date(text).map { abs($0.timeIntervalSince1970 - seconds) < 1e-6 } == true)
    }

    @Test("Read with any offset and fraction") func read() {
        #expect(TimestampFormat.date("2024-02-29T12:34:56Z") == Date(timeIntervalSince1970: 1_709_210_096))
        #expect(TimestampFormat.date("2024-02-29T14:34:56.0+02:00") == Date(timeIntervalSince1970: 1_709_210_096))
        #expect(TimestampFormat.date("2024-02-29T12:34:56") == Date(timeIntervalSince1970: 1_709_210_096))
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01", "now", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00+0",
        ])
    func refused(text: String) { #expect(TimestampFormat.date(text) == nil) }
}
