import HTTPTypes

extension HTTPField.Name {
    /// `X-Request-ID`.
    public static let requestID = HTTPField.Name.known("X-Request-ID")
    /// `X-Service-Version`.
    public static let serviceVersion = HTTPField.Name.known("X-Service-Version")
    static let accelBuffering = HTTPField.Name.known("X-Accel-Buffering")

    /// A name that is written in the source.
    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}
