import PlatformModel
import ServiceKit

/// The section `credentials` (config.md 11): an object of objects.
struct ClusterCredentials: Sendable {
    private var members: [String: JSON]

    init(_ stored: JSON?) {
        if case .object(let members) = stored { self.members = members } else { members = [:] }
    }

    var json: JSON? { members.isEmpty ? nil : .object(members) }

    /// The token that the services inside the cluster hold.
    var token: String? { members["neuro"]?["token"]?.string }

    /// Merged two levels deep: a password that comes without the address beside it leaves the address. Null and `***` mean that the sender
    /// has nothing to say.
    /// - Throws: 400 naming what is no object.
    func merging(_ patch: JSON) throws -> ClusterCredentials {
        guard case .object(let sections) = patch else { throw PlatformError.badRequest("credentials: expected an object") }
        var result = self
        for (name, section) in sections where section != .null {
            guard case .object(let values) = section else { throw PlatformError.badRequest("credentials.\(name): expected an object") }
            let known = values.filter { $0.value != .null && $0.value != .string("***") }
            if case .object(let before) = result.members[name] {
                result.members[name] = .object(before.merging(known) { _, new in new })
            } else {
                result.members[name] = .object(known)
            }
        }
        return result
    }

    /// With the addresses that are the same for every cluster, where none is stored. Without a token there is nothing to use them with.
    func completed(by addresses: Addresses) -> ClusterCredentials {
        guard token != nil else { return self }
        var result = self
        for (name, url) in [("neuro", addresses.platform), ("neuro_helm", addresses.helm), ("neuro_registry", addresses.registry)] {
            guard let url else { continue }
            var section: [String: JSON] = [:]
            if case .object(let stored) = result.members[name] { section = stored }
            section["url"] = section["url"] ?? .string(url)
            result.members[name] = .object(section)
        }
        return result
    }

    /// Where the software inside a cluster finds the platform, its charts and its images.
    struct Addresses: Sendable {
        let platform: String?
        let helm: String?
        let registry: String?
    }
}

extension ClusterDocument {
    /// Whether the cluster has a token of its own.
    var hasToken: Bool { ClusterCredentials(credentials).token != nil }
}

extension DNSSection {
    /// What stands in place of a name for a cluster that has none.
    static let none = "not-used"
}
