import Foundation
import Testing

@testable import LocalCluster

/// Parts of volumes: found without following what somebody may have put there.
@Suite struct VolumePartTests {
    private func with(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "part-" + UUID().uuidString.lowercased()
        try FileManager.default.createDirectory(atPath: folder + "/volume/a", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func refusal(_ volume: String, _ components: [String]) -> String? {
        do {
            _ = try VolumePart(of: volume, components)
            return nil
        } catch {
            return error.why
        }
    }

    @Test func whatIsMissingIsMade() throws {
        try with { folder in
            let part = try VolumePart(of: folder + "/volume", ["a", "b", "c"])
            let (kind, path) = (part.isFolder, part.path)
            #expect(kind && path == folder + "/volume/a/b/c")
            var isFolder: ObjCBool = false
            #expect(FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue)
            try Data().write(to: URL(fileURLWithPath: folder + "/volume/a/file"))
            let file = try VolumePart(of: folder + "/volume", ["a", "file"])
            let isFile = !file.isFolder
            #expect(isFile)
            #expect(refusal(folder + "/volume", ["a", "file", "x"]) == "\"file\" is not a directory")
            #expect(refusal(folder + "/none", ["a"]) == "\"\(folder)/none\": No such file or directory")
        }
    }

    @Test func noLinkIsFollowed() throws {
        try with { folder in
            let volume = folder + "/volume"
            try FileManager.default.createDirectory(atPath: folder + "/outside", withIntermediateDirectories: true)
            for (name, target) in [("out", folder + "/outside"), ("up", "../outside"), ("near", "a"), ("nowhere", "nothing")] {
                try FileManager.default.createSymbolicLink(atPath: volume + "/" + name, withDestinationPath: target)
                #expect(refusal(volume, [name]) == "\"\(name)\" is a symbolic link")
                #expect(refusal(volume, [name, "more"]) == "\"\(name)\" is a symbolic link")
            }
            // Nothing was made where they lead.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/outside").isEmpty)
            #expect(!FileManager.default.fileExists(atPath: volume + "/nothing"))
            // The volume itself may be reached through one: that is the operator's.
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "volume")
            #expect(refusal(folder + "/link", ["a"]) == nil)
        }
    }

    @Test(.enabled(if: PodmanTests.areOn)) func whatWasFoundIsWhatIsMounted() throws {
        try with { folder in
            let (volume, target) = (folder + "/volume", folder + "/target")
            try Data("kept".utf8).write(to: URL(fileURLWithPath: volume + "/a/file"))
            let part = try VolumePart(of: volume, ["a"])
            // Swapped for a link to elsewhere between the look and the mount.
            try FileManager.default.moveItem(atPath: volume + "/a", toPath: volume + "/moved")
            try FileManager.default.createSymbolicLink(atPath: volume + "/a", withDestinationPath: "/etc")
            try part.mount(at: target)
            #expect(try FileManager.default.contentsOfDirectory(atPath: target) == ["file"])
            // Removing the folder around it leaves what is mounted there alone.
            try MountTable.remove(folder + "/none")
            try FileManager.default.createDirectory(atPath: folder + "/pod", withIntermediateDirectories: true)
            let again = try VolumePart(of: volume, ["moved"])
            try again.mount(at: folder + "/pod/0")
            try MountTable.remove(folder + "/pod")
            #expect(!FileManager.default.fileExists(atPath: folder + "/pod"))
            #expect(FileManager.default.fileExists(atPath: volume + "/moved/file"))
            MountTable.unmountAll(below: folder)
            #expect(try FileManager.default.contentsOfDirectory(atPath: target).isEmpty)
        }
    }
}
