import Foundation
import Kubernetes

/// A file or folder of the machine itself.
struct HostPathVolume: Sendable {
    let name: String
    let value: JSONValue

    /// Checks and makes what the type says.
    /// - Returns: the path.
    func prepare() throws -> String {
        let path = value["path"]?.string ?? ""
        let files = FileManager.default
        var isFolder: ObjCBool = false
        let exists = files.fileExists(atPath: path, isDirectory: &isFolder)
        let type = value["type"]?.string ?? ""
        func refuse(_ what: String) -> VolumeFailure { VolumeFailure(name, "hostPath type check failed: \(path) is not a \(what)") }
        switch type {
        case "Directory": guard exists, isFolder.boolValue else { throw refuse("directory") }
        case "File": guard exists, !isFolder.boolValue else { throw refuse("file") }
        case "Socket": guard kind(path) == .typeSocket else { throw refuse("socket file") }
        case "CharDevice": guard kind(path) == .typeCharacterSpecial else { throw refuse("character device") }
        case "BlockDevice": guard kind(path) == .typeBlockSpecial else { throw refuse("block device") }
        case "FileOrCreate":
            if exists, isFolder.boolValue { throw refuse("file") }
            if !exists { _ = files.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o644]) }
        default:
            if type == "DirectoryOrCreate", exists, !isFolder.boolValue { throw refuse("directory") }
            if !exists {
                try files.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            }
        }
        return path
    }

    private func kind(_ path: String) -> FileAttributeType? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
    }
}
