/// An error of another module that knows its own answer: an unknown resource scheme is 422, a refused name is 400.
public protocol PlatformErrorConvertible: Error {
    /// The answer it stands for.
    var platformError: PlatformError { get }
}
