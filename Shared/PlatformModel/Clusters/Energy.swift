/// Section `energy`.
public struct EnergySection: Hashable, Sendable, Codable {
    public var co2GramsPerKWh: Double
    public var schedules: [Schedule]

    public init(co2GramsPerKWh: Double = 0, schedules: [Schedule] = []) {
        self.co2GramsPerKWh = co2GramsPerKWh
        self.schedules = schedules
    }

    /// Weekly hours in which scheduler-enabled jobs may run.
    public struct Schedule: Hashable, Sendable, Codable {
        public var name: String
        public var pricePerKWh: Money
        public var periods: [Period]

        public init(name: String, pricePerKWh: Money = .zero, periods: [Period] = []) {
            self.name = name
            self.pricePerKWh = pricePerKWh
            self.periods = periods
        }

        enum CodingKeys: String, CodingKey {
            case name, periods
            case pricePerKWh = "price_per_kwh"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            name = try container.decode(String.self, forKey: .name)
            pricePerKWh = try container.decode(Money.self, forKey: .pricePerKWh)
            periods = try container.decodeIfPresent([Period].self, forKey: .periods) ?? []
        }
    }

    /// Hours of one weekday in the cluster's time zone; the end is not included.
    public struct Period: Hashable, Sendable, Codable {
        /// 1 = Monday … 7 = Sunday.
        public var weekday: Int
        /// `HH:MM` or `HH:MM:SS`.
        public var startTime: String
        public var endTime: String

        public init(weekday: Int, startTime: String, endTime: String) {
            self.weekday = weekday
            self.startTime = startTime
            self.endTime = endTime
        }

        enum CodingKeys: String, CodingKey {
            case weekday
            case startTime = "start_time"
            case endTime = "end_time"
        }
    }

    enum CodingKeys: String, CodingKey {
        case co2GramsPerKWh = "co2_grams_eq_per_kwh"
        case schedules
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        co2GramsPerKWh = try container.decodeIfPresent(Double.self, forKey: .co2GramsPerKWh) ?? 0
        schedules = try container.decodeIfPresent([Schedule].self, forKey: .schedules) ?? []
    }
}
