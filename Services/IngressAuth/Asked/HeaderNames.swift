import HTTPTypes

extension HTTPField.Name {
    static let forwardedHost = known("X-Forwarded-Host")
    static let forwardedURI = known("X-Forwarded-Uri")
    static let forwardedMethod = known("X-Forwarded-Method")
    static let forwardedProto = known("X-Forwarded-Proto")
    static let forwardedFor = known("X-Forwarded-For")
    static let requestedWith = known("X-Requested-With")
    static let fetchMode = known("Sec-Fetch-Mode")
    static let fetchDestination = known("Sec-Fetch-Dest")
    static let fetchSite = known("Sec-Fetch-Site")

    /// A name that is written in the source.
    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}
