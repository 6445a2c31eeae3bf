/// The version of this build, as in `X-Service-Version`.
public enum BuildVersion {
    /// Semantic version.
    public static let current = "0.1.0"
}
