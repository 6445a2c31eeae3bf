import Injection
import PlatformModel

/// One disk that a pod asks for in its annotation (disk.md 12.3).
struct DiskInjection: Hashable, Sendable {
    /// The pod's annotation.
    static let key = "platform.apolo.us/inject-disk"

    /// Absolute, in the containers.
    let mountPath: String
    let isReadOnly: Bool
    let cluster: String
    let org: String
    let project: String
    let disk: DiskReference

    /// - Throws: for a URI that is not `disk://<cluster>/<org>/<project>/<id or name>`.
    init(_ place: InjectedPlace) throws(InvalidInjection) {
        let uri: ResourceURI
        do {
            uri = try ResourceURI(place.uri)
        } catch {
            throw InvalidInjection("\(error)")
        }
        let parts = uri.segments
        guard uri.scheme == .disk, parts.count == 4, let disk = DiskReference(parts[3]) else {
            throw InvalidInjection("`\(place.uri)` is not disk://<cluster>/<org>/<project>/<id or name>")
        }
        mountPath = place.mountPath
        isReadOnly = place.mode == .read
        (cluster, org, project) = (parts[0], parts[1], parts[2])
        self.disk = disk
    }

    /// The disks that an annotation's text lists.
    static func parse(_ annotation: String) throws(InvalidInjection) -> [DiskInjection] {
        var disks: [DiskInjection] = []
        for place in try InjectedPlace.parse(annotation, uri: "disk_uri") { disks.append(try DiskInjection(place)) }
        return disks
    }
}
