import PlatformModel

/// A validated request for a job, of either form (jobs-api.md 5.1, 5.3).
struct JobRequest: Hashable, Sendable {
    var name: String?
    /// Sorted, without repeats.
    var tags: [String]
    var maxRunTimeMinutes: Int?
    var spec: JobSpec
}

/// What a request is checked against.
struct JobRequestRules: Sendable {
    let scope: JobScope
    let orchestrator: OrchestratorSection
    /// Names of the cluster's energy schedules.
    let schedules: [String]
    /// The flat form: container fields stand at top level and the resources come from this preset. nil for the nested form.
    let preset: ResourcePreset?
}

extension JobRequest {
    /// Checks the whole body and names everything that is wrong with it.
    init(_ body: OrderedJSON, rules: JobRequestRules) throws(Problem) {
        var fields = try Fields(of: body)
        let name = fields.optional("name", Check.jobNameOrNull) ?? nil
        let description = fields.optional("description") { value throws(Problem) in try Check.text(value) }
        let tags = fields.optional("tags") { value throws(Problem) in try Check.list(value, atMost: 16, Check.tag) }
        let passConfig = fields.optional("pass_config", Check.bool)
        let waits = fields.optional("wait_for_jobs_quota", Check.bool)
        let privileged = fields.optional("privileged", Check.bool)
        let priority = fields.optional("priority") { value throws(Problem) in try Check.variant(value, of: JobPriority.self) }
        let restartPolicy = fields.optional("restart_policy") { value throws(Problem) in
            try Check.variant(value, of: JobRestartPolicy.self)
        }
        let scheduleTimeout = fields.optional("schedule_timeout") { value throws(Problem) in
            try Check.number(value, atLeast: 1, below: 30 * 24 * 3600)
        }
        let maxRunTime = fields.optional("max_run_time_minutes") { value throws(Problem) in try Check.integer(value, atLeast: 1) }
        let energySchedule = fields.optional("energy_schedule_name") { value throws(Problem) in
            guard case .string(let text) = value, rules.schedules.contains(text) else {
                throw .message("value doesn't match any variant")
            }
            return text
        }
        for (key, expected) in [
            ("cluster_name", rules.scope.cluster), ("org_name", rules.scope.org), ("project_name", rules.scope.project),
        ] {
            _ = fields.optional(key) { value throws(Problem) in try Check.exactly(value, expected) }
        }
        let flags = Self.schedulingFlags(&fields, preset: rules.preset)
        let presetName = Self.presetName(&fields, preset: rules.preset)
        let container = Self.container(&fields, rules: rules)
        try fields.finish()
        guard let container else { throw .message("container is required") }

        if scheduleTimeout != nil, flags.scheduler { throw .message("schedule_timeout is not allowed for scheduled jobs") }
        if energySchedule != nil, !flags.scheduler { throw .message("energy_schedule_name requires scheduler_enabled") }

        self.name = name
        self.tags = Set(tags ?? []).sorted()
        maxRunTimeMinutes = maxRunTime.map { Int($0) }
        spec = JobSpec(
            container: container.value, environmentOrder: container.environmentOrder, description: description, presetName: presetName,
            fromPreset: rules.preset != nil, schedulerEnabled: flags.scheduler, preemptibleNode: flags.preemptible,
            passConfig: passConfig ?? false, privileged: privileged ?? false, waitsForQuota: waits ?? false,
            restartPolicy: restartPolicy ?? .never, priority: priority ?? .normal, scheduleTimeout: scheduleTimeout,
            energyScheduleName: energySchedule)
    }

    /// Each flag has an old alias that loses; in the flat form the preset decides, whatever was sent.
    private static func schedulingFlags(_ fields: inout Fields, preset: ResourcePreset?) -> (scheduler: Bool, preemptible: Bool) {
        let keys = ["scheduler_enabled", "is_preemptible", "preemptible_node", "is_preemptible_node_required"]
        if let preset {
            for key in keys { _ = fields.raw(key) }
            return (preset.schedulerEnabled, preset.preemptibleNode)
        }
        let values = keys.map { fields.optional($0, Check.bool) }
        return (values[0] ?? values[1] ?? false, values[2] ?? values[3] ?? false)
    }

    private static func presetName(_ fields: inout Fields, preset: ResourcePreset?) -> String? {
        if let preset {
            _ = fields.raw("preset_name")
            return preset.name
        }
        return fields.optional("preset_name") { value throws(Problem) in try Check.text(value) }
    }

    private static func container(_ fields: inout Fields, rules: JobRequestRules) -> ContainerRequest? {
        if let preset = rules.preset {
            return ContainerRequest(&fields, rules: rules, preset: preset)
        }
        return fields.required("container") { value throws(Problem) in
            var inner = try Fields(of: value)
            let container = ContainerRequest(&inner, rules: rules, preset: nil)
            try inner.finish()
            guard let container else { throw .message("is required") }
            return container
        }
    }
}

extension Check {
    static func exactly(_ value: OrderedJSON, _ expected: String) throws(Problem) {
        let text = try text(value)
        if text != expected { throw .message("value is not exactly '\(expected)'") }
    }
}
