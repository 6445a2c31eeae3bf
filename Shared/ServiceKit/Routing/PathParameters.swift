/// Decodes what the parameters of a template took from a raw path; `{name*}` stays as it was sent.
enum PathParameters {
    /// - Throws: ``PlatformError`` 400 for a broken escape, control characters, dot segments, and an encoded slash outside `{name...}`.
    static func decode(_ captures: [Substring], template: PathTemplate) throws -> [String: String] {
        var values: [String: String] = [:]
        var captures = captures.makeIterator()
        for segment in template.segments {
            let (name, many): (String, Bool)
            switch segment {
            case .literal: continue
            case .one(let text): (name, many) = (text, false)
            case .many(let text): (name, many) = (text, true)
            case .rest(let text):
                values[text] = captures.next().map(String.init)
                continue
            }
            guard let raw = captures.next() else { break }
            guard let value = PercentCoding.decode(raw) else {
                throw PlatformError.badRequest("\(name): broken percent escape in the path")
            }
            guard many || !value.contains("/") else { throw PlatformError.badRequest("\(name): must not contain an encoded slash") }
            guard !value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
                throw PlatformError.badRequest("\(name): must not contain control characters")
            }
            let parts = value.split(separator: "/", omittingEmptySubsequences: false)
            guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
                throw PlatformError.badRequest("\(name): must not contain empty or dot segments")
            }
            values[name] = value
        }
        return values
    }
}
