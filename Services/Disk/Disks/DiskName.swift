import PlatformModel

/// What a user calls a disk: 3 to 40 lower-case letters and digits with single hyphens between them, a letter first.
struct DiskName: PlatformName {
    static let kind = "disk name"
    let text: String
    init(checked text: String) { self.text = text }

    static let lengthRule = "Length must be between 3 and 40."
    static let patternRule = "String does not match expected pattern."

    static func refusal(of text: String) -> String? {
        guard (3...40).contains(text.unicodeScalars.count) else { return lengthRule }
        var afterHyphen = true
        for (place, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): afterHyphen = false
            case UInt8(ascii: "0")...UInt8(ascii: "9") where place > 0: afterHyphen = false
            case UInt8(ascii: "-") where !afterHyphen: afterHyphen = true
            default: return patternRule
            }
        }
        return afterHyphen ? patternRule : nil
    }
}
