import Foundation

/// JSON as this platform writes and reads it: UTF-8, slashes as they are, sorted keys, dates by ``TimestampFormat``.
public enum PlatformJSON {
    /// The content type of JSON answers.
    public static let contentType = "application/json; charset=utf-8"

    /// A fresh encoder.
    public static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(TimestampFormat.string(date))
        }
        return encoder
    }

    /// A fresh decoder.
    public static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            guard let date = TimestampFormat.date(try container.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a time such as 2026-01-31T12:00:00+00:00")
            }
            return date
        }
        return decoder
    }
}
