/// What a watch tells.
public enum WatchEvent<Object: KubernetesResource>: Sendable {
    /// All there is now: first, and again whenever the history was lost. Whatever you hold that is not in it was deleted meanwhile.
    case listed([Object])
    case added(Object)
    case modified(Object)
    /// The object as it last was.
    case deleted(Object)
}

extension WatchEvent: Equatable where Object: Equatable {}

/// One line of a watch stream. An object that does not decode is reported as nil rather than ending the watch.
struct WatchLine<Object: KubernetesResource>: Decodable {
    enum Content {
        case event(WatchEvent<Object>, version: String?)
        case bookmark(String?)
        case error(Status)
        case unreadable(version: String?)
    }
    private struct VersionOnly: Decodable {
        struct Meta: Decodable { var resourceVersion: String? }
        var metadata: Meta?
    }
    private enum CodingKeys: String, CodingKey { case type, object }
    let content: Content

    init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let type = try box.decode(String.self, forKey: .type)
        switch type {
        case "ERROR": content = .error(try box.decode(Status.self, forKey: .object))
        case "BOOKMARK": content = .bookmark(try box.decode(VersionOnly.self, forKey: .object).metadata?.resourceVersion)
        case "ADDED", "MODIFIED", "DELETED":
            guard let object = try? box.decode(Object.self, forKey: .object) else {
                content = .unreadable(version: try? box.decode(VersionOnly.self, forKey: .object).metadata?.resourceVersion)
                return
            }
            let event: WatchEvent<Object> = type == "ADDED" ? .added(object) : type == "MODIFIED" ? .modified(object) : .deleted(object)
            content = .event(event, version: object.metadata.resourceVersion)
        default: content = .unreadable(version: nil)
        }
    }
}
