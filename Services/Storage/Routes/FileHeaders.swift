import Glibc
import HTTPTypes

/// What HEAD and OPEN say of an object beside its bytes (storage.md 7.3).
enum FileHeaders {
    static func fields(_ status: FileStatus) -> HTTPFields {
        var fields: HTTPFields = [.contentType: "application/octet-stream"]
        fields[.lastModified] = date(status.modified)
        fields[.fileType] = status.kind.name
        fields[.filePermission] = "read"
        if status.kind == .file {
            fields[.fileLength] = "\(status.length)"
            // The first is misspelt in the protocol; the second is what everybody else reads.
            fields[.acceptRange] = "bytes"
            fields[.acceptRanges] = "bytes"
        }
        return fields
    }

    /// RFC 9110 §5.6.7.
    static func date(_ seconds: Int64) -> String? {
        var time = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil, (0...9999).contains(parts.tm_year + 1900) else { return nil }
        func two(_ number: CInt) -> String { (number < 10 ? "0" : "") + "\(number)" }
        let year = "\(parts.tm_year + 1900)"
        return [
            days[Int(parts.tm_wday)] + ",", two(parts.tm_mday), months[Int(parts.tm_mon)],
            String(repeating: "0", count: 4 - year.count) + year,
            [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":"), "GMT",
        ].joined(separator: " ")
    }

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

extension HTTPField.Name {
    static let fileType = known("X-File-Type")
    static let filePermission = known("X-File-Permission")
    static let fileLength = known("X-File-Length")
    static let acceptRange = known("Accept-Range")
    static let buffering = known("X-Accel-Buffering")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}
