import PlatformModel

/// Resolves the preset of a flat request, before the fields are checked (jobs-api.md 5.5).
enum PresetChoice {
    static func resolve(_ body: OrderedJSON, presets: [ResourcePreset]) throws(Problem) -> ResourcePreset {
        for resources in [body["resources"], body["container"]?["resources"]] {
            guard let resources else { continue }
            guard case .object(let members) = resources else {
                throw .members([.field("resources", .message("value is not a dict"))])
            }
            guard members.allSatisfy({ $0.key == "shm" }) else { throw .message("Both preset and resources are not allowed") }
        }
        guard let first = presets.first else { throw .message("At least one preset is required to run a job") }
        switch body["preset_name"] {
        case nil, .null, .string(""): return first
        case .string(let name):
            guard let preset = presets.first(where: { $0.name == name }) else { throw .message("Preset was not found") }
            return preset
        default: throw .members([.field("preset_name", .message("value is not a string"))])
        }
    }
}
