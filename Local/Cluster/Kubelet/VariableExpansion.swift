/// `$(NAME)` in command lines and values; `$$` is a dollar. What is not known stays as it is written.
enum VariableExpansion {
    static func expand(_ text: String, _ lookup: (String) -> String?) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            switch rest.first {
            case "$":
                result += "$"
                rest.removeFirst()
            case "(":
                guard let close = rest.firstIndex(of: ")") else {
                    result += "$("
                    rest.removeFirst()
                    continue
                }
                let name = String(rest[rest.index(after: rest.startIndex)..<close])
                result += lookup(name) ?? "$(\(name))"
                rest = rest[rest.index(after: close)...]
            default: result += "$"
            }
        }
        return result + rest
    }
}
