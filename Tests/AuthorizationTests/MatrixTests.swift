import Foundation
import Testing

/// The authorization matrix: every route of every service, asked by everybody. A route that no line classifies fails, and so does a line without
/// a route; where to add one is told by ``Place``.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct MatrixTests {
    @Test func everyServiceHasItsPlace() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appendingPathComponent("Services")
        let found = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).appendingPathComponent("Main/main.swift").path)
        }
        #expect(!found.isEmpty)
        let placed = Set(Place.all.map { String(describing: $0.type) })
        for name in found {
            #expect(placed.contains("\(name)Service"), "Services/\(name) is not in Place.all, so that nobody asks who may call its routes")
        }
        #expect(Place.all.count == found.count)
    }

    @Test func everyRouteIsClassifiedAndAnswersAsItsLineSays() async throws {
        try await Platform.run { (platform) async throws in
            let walk = try await Walk(platform)
            walk.compare()
            try await walk.refuse()
            try await walk.otherMethods()
            try await walk.admit()
        }
    }
}
