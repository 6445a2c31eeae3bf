import PlatformModel

/// The part of a job that never changes once it is stored. The container was validated and made canonical before: the URI that was
/// checked is the URI that is mounted.
struct JobSpec: Hashable, Codable, Sendable {
    var container: JobContainer
    /// Names of `container.env` and `container.secretEnv` in request order, the order in which the container gets them.
    var environmentOrder: [String] = []
    var description: String?
    var presetName: String?
    /// Whether the resources were taken from the preset, so that its price is the job's.
    var fromPreset = false
    var schedulerEnabled = false
    var preemptibleNode = false
    var passConfig = false
    var privileged = false
    /// Admitted by the scheduler when a place is free, instead of refused at creation.
    var waitsForQuota = false
    var restartPolicy = JobRestartPolicy.never
    var priority = JobPriority.normal
    /// Seconds, fractions kept as submitted.
    var scheduleTimeout: Double?
    /// Only of scheduler-enabled jobs. nil: the schedule called `default`.
    var energyScheduleName: String?

    init(
        container: JobContainer, environmentOrder: [String] = [], description: String? = nil, presetName: String? = nil,
        fromPreset: Bool = false, schedulerEnabled: Bool = false, preemptibleNode: Bool = false, passConfig: Bool = false,
        privileged: Bool = false, waitsForQuota: Bool = false, restartPolicy: JobRestartPolicy = .never, priority: JobPriority = .normal,
        scheduleTimeout: Double? = nil, energyScheduleName: String? = nil
    ) {
        self.container = container
        self.environmentOrder = environmentOrder
        self.description = description
        self.presetName = presetName
        self.fromPreset = fromPreset
        self.schedulerEnabled = schedulerEnabled
        self.preemptibleNode = preemptibleNode
        self.passConfig = passConfig
        self.privileged = privileged
        self.waitsForQuota = waitsForQuota
        self.restartPolicy = restartPolicy
        self.priority = priority
        self.scheduleTimeout = scheduleTimeout
        self.energyScheduleName = energyScheduleName
    }

    /// A row that another release stored may lack what this one knows.
    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func value<T: Decodable>(_ key: CodingKeys, _ fallback: T) throws -> T {
            try values.decodeIfPresent(T.self, forKey: key) ?? fallback
        }
        self.init(
            container: try values.decode(JobContainer.self, forKey: .container), environmentOrder: try value(.environmentOrder, []),
            description: try value(.description, nil), presetName: try value(.presetName, nil), fromPreset: try value(.fromPreset, false),
            schedulerEnabled: try value(.schedulerEnabled, false), preemptibleNode: try value(.preemptibleNode, false),
            passConfig: try value(.passConfig, false), privileged: try value(.privileged, false),
            waitsForQuota: try value(.waitsForQuota, false), restartPolicy: try value(.restartPolicy, .never),
            priority: try value(.priority, .normal), scheduleTimeout: try value(.scheduleTimeout, nil),
            energyScheduleName: try value(.energyScheduleName, nil))
    }

    /// Whether a lost pod is replaced by a new attempt instead of ending the job.
    var isRestartable: Bool { schedulerEnabled || preemptibleNode || restartPolicy != .never }
}
