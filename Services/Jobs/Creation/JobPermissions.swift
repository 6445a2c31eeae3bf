import Foundation
import PlatformModel

/// What the creator of a job must be allowed, in the order of the contract (jobs-api.md 15.2).
enum JobPermissions {
    static func creating(_ container: JobContainer, in scope: JobScope, registry: String) -> [Permission] {
        var permissions = [Permission(ResourceURI(.job, scope.segments), .write)]
        if let image = imageURI(container.image, registry: registry, cluster: scope.cluster) {
            permissions.append(Permission(image, .read))
        }
        let secrets = container.secretEnv.sorted { $0.key < $1.key }.map(\.value) + container.secretVolumes.map(\.sourceURI)
        var seen: Set<ResourceURI> = []
        for uri in secrets where seen.insert(uri).inserted { permissions.append(Permission(uri, .read)) }
        for volume in container.volumes {
            permissions.append(Permission(storageURI(volume.sourceURI), volume.readOnly ? .read : .write))
        }
        for volume in container.diskVolumes {
            let action: Action = volume.readOnly ? .read : .write
            permissions.append(Permission(volume.sourceURI, action))
            // Whatever place the URI names, the disk of that id is mounted which the job's own project has.
            let mounted = ResourceURI(.disk, scope.segments + volume.sourceURI.segments.suffix(1))
            if mounted != volume.sourceURI { permissions.append(Permission(mounted, action)) }
        }
        return permissions
    }

    /// auth-api refuses empty segments; to the file system repeated slashes are one.
    private static func storageURI(_ uri: String) -> ResourceURI {
        let parts = uri.dropFirst("storage://".count).split(separator: "/").compactMap { PercentCoding.decode($0) }
        return ResourceURI(.storage, parts)
    }

    /// Images of the platform's registry, by repository without the tag; nil for all others, which need no permission (jobs-api.md 6.7).
    static func imageURI(_ image: String, registry: String, cluster: String) -> ResourceURI? {
        guard let authority = registryAuthority(registry), image.hasPrefix(authority + "/") else { return nil }
        let repository = image.dropFirst(authority.count + 1).prefix { $0 != ":" }
        return ResourceURI(.image, [cluster] + repository.split(separator: "/").map(String.init))
    }

    /// `host` or `host:port`, the port only if the URL writes it.
    static func registryAuthority(_ url: String) -> String? {
        guard let range = url.range(of: "://") else { return nil }
        let authority = url[range.upperBound...].prefix { $0 != "/" }
        return authority.isEmpty ? nil : String(authority)
    }
}

/// Where a job is created.
struct JobScope: Hashable, Sendable {
    let cluster: String
    let org: String
    let project: String

    var segments: [String] { [cluster, org, project] }
}
