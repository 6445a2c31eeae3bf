import Foundation
import PlatformModel
import ServiceKit

/// What a configuration must keep to beyond its types. A refusal is a 400 that names the field.
///
/// Only what a change touches is looked at: a rule that came later must not stand in the way of changing something else.
enum ClusterRules {
    static func check(_ document: ClusterDocument, changedFrom before: ClusterDocument) throws {
        try AddressRules.check(document, changedFrom: before)
        if document.orchestrator != before.orchestrator { try check(document.orchestrator, changedFrom: before.orchestrator) }
        if document.energy != before.energy { try check(document.energy) }
        if document.storage.volumes != before.storage.volumes { try check(document.storage.volumes) }
        if document.timezone != before.timezone { try requireZone(document.timezone) }
        if document.ingress.acmeEnvironment != before.ingress.acmeEnvironment {
            try require(
                ["staging", "production"].contains(document.ingress.acmeEnvironment), "ingress.acme_environment",
                "must be staging or production")
        }
        if document.disks.storageLimitPerUser != before.disks.storageLimitPerUser {
            try requireSize(document.disks.storageLimitPerUser, "disks.storage_limit_per_user")
        }
        do {
            _ = try document.storageBackends
        } catch {
            throw refusal(error.field, error.rule)
        }
    }

    private static func check(_ section: OrchestratorSection, changedFrom before: OrchestratorSection) throws {
        for (field, value) in [
            ("job_schedule_timeout_s", section.jobScheduleTimeout), ("job_schedule_scale_up_timeout_s", section.jobScheduleScaleUpTimeout),
        ] {
            try require(value.isFinite && value >= 0, "orchestrator.\(field)", "must not be negative")
        }
        let pools = "orchestrator.resource_pool_types"
        try requireDistinct(section.resourcePoolTypes.map(\.name), pools)
        for pool in section.resourcePoolTypes { try check(pool, "\(pools)['\(pool.name)']") }
        let presets = "orchestrator.resource_presets"
        try requireDistinct(section.resourcePresets.map(\.name), presets)
        // A pool that went leaves presets that nothing can run, and they may stay.
        for preset in section.resourcePresets where before.preset(preset.name)?.isSame(as: preset) != true {
            try PresetRules.check(preset, pools: section.resourcePoolTypes)
        }
        for (index, job) in section.idleJobs.enumerated() {
            for key in ["name", "count", "image", "resources"] {
                try require(job[key] != nil && job[key] != .null, "orchestrator.idle_jobs[\(index)].\(key)", "is required")
            }
        }
    }

    private static func check(_ pool: ResourcePoolType, _ field: String) throws {
        try require(0 <= pool.minSize && pool.minSize <= pool.maxSize, "\(field).min_size", "must be from 0 to max_size")
        try require(0 <= pool.idleSize && pool.idleSize <= pool.maxSize, "\(field).idle_size", "must be from 0 to max_size")
        for (key, value) in [("cpu", pool.cpu), ("available_cpu", pool.availableCPU)] {
            try require(value.isFinite && value >= 0, "\(field).\(key)", "must not be negative")
        }
        for (key, value) in [
            ("memory", pool.memory), ("available_memory", pool.availableMemory), ("disk_size", pool.diskSize),
            ("available_disk_size", pool.availableDiskSize),
        ] {
            try requireSize(value, "\(field).\(key)")
        }
        let migs = pool.nvidiaMIGs.map { ("nvidia_migs['\($0)']", Optional($1)) }
        for (key, gpu) in [("nvidia_gpu", pool.nvidiaGPU), ("amd_gpu", pool.amdGPU), ("intel_gpu", pool.intelGPU)] + migs {
            guard let gpu else { continue }
            try require(gpu.count >= 0, "\(field).\(key).count", "must not be negative")
            // Clients fail on a pool's GPU that has none.
            try require(gpu.model?.isEmpty == false, "\(field).\(key).model", "is required")
        }
        try require((pool.price ?? .zero) >= .zero, "\(field).price", "must not be negative")
        try require(pool.cpuMinWatts >= 0, "\(field).cpu_min_watts", "must not be negative")
        try require(pool.cpuMaxWatts >= 0, "\(field).cpu_max_watts", "must not be negative")
    }

    private static func check(_ section: EnergySection) throws {
        try require(section.co2GramsPerKWh.isFinite && section.co2GramsPerKWh >= 0, "energy.co2_grams_eq_per_kwh", "must not be negative")
        try requireDistinct(section.schedules.map(\.name), "energy.schedules")
        for schedule in section.schedules {
            let field = "energy.schedules['\(schedule.name)']"
            try require(schedule.pricePerKWh >= .zero, "\(field).price_per_kwh", "must not be negative")
            for (index, period) in schedule.periods.enumerated() {
                let field = "\(field).periods[\(index)]"
                try require((1...7).contains(period.weekday), "\(field).weekday", "must be from 1 (Monday) to 7")
                guard let start = seconds(period.startTime) else { throw refusal("\(field).start_time", "must be HH:MM") }
                guard let end = seconds(period.endTime) else { throw refusal("\(field).end_time", "must be HH:MM") }
                try require(start < end, "\(field).end_time", "must be later than start_time on the same day")
            }
        }
    }

    private static func check(_ volumes: [StorageSection.Volume]) throws {
        try requireDistinct(volumes.map(\.name), "storage.volumes")
        try require(volumes.count { $0.path == nil } <= 1, "storage.volumes", "only the default volume has no path")
        for volume in volumes {
            let field = "storage.volumes['\(volume.name)']"
            if let path = volume.path {
                let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
                let isPlain = !parts.isEmpty && !parts.contains { $0.isEmpty || $0 == "." || $0 == ".." || $0.contains("\0") }
                try require(path.hasPrefix("/") && isPlain, "\(field).path", "must be absolute, without empty parts, '.' and '..'")
            }
            if let size = volume.size { try requireSize(size, "\(field).size") }
            try require(volume.creditsPerHourPerGB >= .zero, "\(field).credits_per_hour_per_gb", "must not be negative")
        }
    }

    /// A name of the IANA's list. Offsets and abbreviations, which Foundation would take, are none to the clients.
    private static func requireZone(_ name: String) throws {
        let isKnown =
            name == "UTC" || TimeZone.knownTimeZoneIdentifiers.contains(name)
            || (name.contains("/") && TimeZone(identifier: name) != nil)
        try require(isKnown, "timezone", "'\(name)' is not an IANA time zone")
    }

    /// Seconds since midnight of `HH:MM` or `HH:MM:SS`; nil for anything else.
    private static func seconds(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.utf8.count == 2 && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(part) : nil
        }
        guard (2...3).contains(parts.count), numbers.count == parts.count, numbers[0] < 24, numbers.dropFirst().allSatisfy({ $0 < 60 })
        else { return nil }
        return numbers[0] * 3600 + numbers[1] * 60 + (numbers.count > 2 ? numbers[2] : 0)
    }

    private static func requireDistinct(_ names: [String], _ field: String) throws {
        var seen: Set<String> = []
        for name in names {
            try requireName(name, "\(field).name")
            try require(seen.insert(name).inserted, field, "two are named '\(name)'")
        }
    }

    /// A name that can be a segment of a path and a line of a table.
    static func requireName(_ name: String, _ field: String) throws {
        let isPlain = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0 != "/" }
        try require(
            !name.isEmpty && name.utf8.count <= 255 && isPlain, field, "must have 1 to 255 characters, none of them a slash")
    }

    /// Clients read whole numbers exactly only so far.
    static func requireSize(_ size: Int64, _ field: String) throws {
        try require((0...(1 << 53)).contains(size), field, "must be from 0 to 2⁵³ bytes")
    }

    static func require(_ condition: Bool, _ field: String, _ rule: String) throws {
        guard condition else { throw refusal(field, rule) }
    }

    private static func refusal(_ field: String, _ rule: String) -> PlatformError { .badRequest("\(field): \(rule)") }
}
