import Injection
import Kubernetes
import PlatformModel

/// Makes a disk of every claim that is made in a project's namespace (disk.md 12.4): of claim templates, of application charts, and of the service's own,
/// which are already.
struct ClaimAdopter: Sendable {
    let names: DiskNames
    let storageClass: String
    let account: OwnAccount

    /// - Throws: ``AdmissionRefusal``, and errors of Kubernetes.
    func decide(_ request: AdmissionRequest, in place: DiskPlace) async throws -> AdmissionDecision {
        // What stands has been through here.
        guard request.operation ?? "CREATE" == "CREATE" else { return .unchanged }
        let isOwn = account.made(request.username)
        let metadata = request.object["metadata"]
        var labels = MapPatch("/metadata/labels", metadata?["labels"])
        var annotations = MapPatch("/metadata/annotations", metadata?["annotations"])
        // Labels say whose a disk is, and are as a stranger wrote them: the namespace knows better.
        labels.remove(DiskKeys.deleted)
        labels.write(DiskKeys.mark, DiskKeys.yes)
        labels.write(DiskKeys.org, place.org.text)
        labels.write(DiskKeys.project, place.project.text)
        labels.write(DiskKeys.user, isOwn ? labels.value(DiskKeys.user) ?? place.project.text : place.project.text)
        annotations.write(DiskKeys.created, annotations.value(DiskKeys.created) ?? UnixStamp.text(.now))
        if let text = annotations.value(DiskKeys.name) {
            annotations.write(DiskKeys.name, try await named(text, request, isOwn: isOwn, in: place).text)
        }
        let operations = labels.operations + annotations.operations + storage(request.object["spec"], isOwn: isOwn)
        return operations.isEmpty ? .unchanged : .patched(operations)
    }

    /// The class is the platform's, whatever was asked for; the service's own claims know theirs, which may be of volumes that exist.
    private func storage(_ spec: JSONValue?, isOwn: Bool) -> [JSONValue] {
        guard let spec, spec.object != nil, spec["storageClassName"] != .string(storageClass),
            !(isOwn && spec["storageClassName"]?.string != nil)
        else { return [] }
        return [["op": "add", "path": "/spec/storageClassName", "value": .string(storageClass)]]
    }

    // MARK: Names

    /// What the disk is called, taken for it unless this is but a rehearsal.
    private func named(_ text: String, _ request: AdmissionRequest, isOwn: Bool, in place: DiskPlace) async throws -> DiskName {
        let called = request.annotation(ClaimSpot.Original.nameAnnotation) ?? request.object["metadata"]?["name"]?.string
        guard let id = called.flatMap(DiskReference.init) else {
            throw AdmissionRefusal(422, "A claim with a disk name needs a name of its own")
        }
        let plain = try Self.name(text)
        let holder = try await names.holder(of: plain, in: place)
        // A claim that was here before has its name.
        if holder == id { return plain }
        guard !isOwn, !id.isID, let index = Self.index(of: id) else {
            try await take(plain, for: id, in: place, standing: holder, isDryRun: request.isDryRun)
            return plain
        }
        let name = try Self.name("\(plain)-\(index)")
        let standing = try await names.holder(of: name, in: place)
        try await take(name, for: id, in: place, standing: standing, isDryRun: request.isDryRun)
        return name
    }

    private func take(
        _ name: DiskName, for id: DiskReference, in place: DiskPlace, standing: DiskReference?, isDryRun: Bool
    ) async throws {
        if standing == id { return }
        do {
            if isDryRun {
                guard try await names.isFree(name, in: place) else { throw DiskRefusal.nameUsed(name, place) }
            } else {
                try await names.take(name, for: id, in: place)
            }
        } catch DiskRefusal.nameUsed {
            // The same question may be asked twice at a time.
            if try await names.holder(of: name, in: place) == id { return }
            throw AdmissionRefusal(
                409, "Disk with name \(DiskNaming.objectName(name, place)) already exists for project \(place.project)")
        }
    }

    private static func name(_ text: String) throws -> DiskName {
        do {
            return try DiskName(text)
        } catch {
            throw AdmissionRefusal(422, "The disk name \(text.prefix(100)) is invalid: \(error.reason)")
        }
    }

    /// Of a claim of a StatefulSet: which of its pods it belongs to.
    private static func index(of id: DiskReference) -> Substring? {
        guard let hyphen = id.text.lastIndex(of: "-"), hyphen > id.text.startIndex else { return nil }
        let digits = id.text[id.text.index(after: hyphen)...]
        return !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? digits : nil
    }
}
