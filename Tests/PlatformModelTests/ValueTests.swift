import Foundation
import PlatformModel
import Testing

@Suite struct ValueTests {
    @Test(arguments: [
        ("0", "0"), ("500", "500"), ("12.50", "12.5"), ("-3.1", "-3.1"), ("0.000000000000000001", "0.000000000000000001"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"), ("007", "7"),
    ]) func moneyIsExact(_ text: String, _ shown: String) throws {
        #expect(Money(text)?.description == shown)
    }

    @Test(arguments: [
        "", "-", ".5", "5.", "1e3", "1,000", "NaN", "Infinity", "+1", " 1", "1 ", "0x1", "1.0000000000000000001", "100000000000000000000",
    ])
    func moneyRefuses(_ text: String) {
        #expect(Money(text) == nil)
    }

    @Test func moneyTravelsAsAString() throws {
        struct Body: Codable { let credits: Money }
        let body = try JSONDecoder().decode(Body.self, from: Data(#"{"credits":"486.63"}"#.utf8))
        #expect(String(decoding: try JSONEncoder().encode(body), as: UTF8.self) == #"{"credits":"486.63"}"#)
        #expect(body.credits + Money(1) == Money("487.63"))
    }

    @Test(arguments: [
        ("2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00+00:00"), ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500000+00:00"),
        ("2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00+00:00"), ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999+00:00"),
        ("2024-01-01", "2024-01-01T00:00:00+00:00"), ("2024-12-31 10:00", "2024-12-31T10:00:00+00:00"),
        ("2100-03-01T00:00:00-0530", "2100-03-01T05:30:00+00:00"),
    ]) func timesAreUTC(_ text: String, _ shown: String) {
        #expect(UTCTime(text)?.description == shown)
    }

    @Test(arguments: ["", "2024", "2023-02-29", "2024-13-01", "2024-01-01T25:00", "2024-01-01T00:00:00+25:00", "2024-01-01T00:00:00.", "x"])
    func timesRefuse(_ text: String) {
        #expect(UTCTime(text) == nil)
    }

    @Test func timesRoundTripThroughDate() {
        let time = UTCTime(microseconds: 1_767_225_600_123_456)
        #expect(UTCTime(time.date) == time)
        #expect(time.adding(seconds: 1.5).seconds(since: time) == 1.5)
    }
}
