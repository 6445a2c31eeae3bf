/// Why a container cannot be made or started now: the reason and the message of its waiting state.
struct ContainerRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    let reason: String
    let message: String

    static func configuration(_ message: String) -> ContainerRefusal { .init(reason: "CreateContainerConfigError", message: message) }

    var description: String { message }
}
