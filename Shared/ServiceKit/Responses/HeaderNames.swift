import HTTPTypes

extension HTTPField.Name {
    /// `X-Request-ID`.
    public static let requestID = HTTPField.Name.known("X-Request-ID")
    /// `X-Service-Version`.
    public static let serviceVersion = HTTPField.Name.known("X-Service-Version")
    /// `X-Frame-Options`.
    public static let frameOptions = HTTPField.Name.known("X-Frame-Options")
    /// `Referrer-Policy`.
    public static let referrerPolicy = HTTPField.Name.known("Referrer-Policy")
    static let accelBuffering = HTTPField.Name.known("X-Accel-Buffering")

    /// A name that is written in the source.
    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}
