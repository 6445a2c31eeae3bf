import ServiceKit

extension QueryItems {
    /// A flag as the API reads it: whatever is not `false` or `0` is true; absent is false.
    func flag(_ name: String) -> Bool {
        guard let value = first(name) else { return false }
        return value.lowercased() != "false" && value != "0"
    }
}
