import Metrics
import Synchronization

/// A swift-metrics factory that keeps its values in memory and shows them as Prometheus text (exposition format 0.0.4).
///
/// Counters get the suffix `_total`; timers are histograms in seconds; recorders are histograms when they aggregate, else gauges. Making a
/// metric twice with the same label and dimensions gives the same values, so callers need not keep their `Counter`s.
public final class PrometheusMetrics: MetricsFactory {
    struct Key: Hashable {
        let name: String
        let labels: String
    }

    private struct State {
        var values: [Key: PrometheusValue] = [:]
        var collectors: [@Sendable () async -> Void] = []
        /// By name.
        var help: [String: String] = [:]
    }

    private let state = Mutex(State())

    /// Upper bounds of timers' buckets, in seconds.
    static let secondsBuckets: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    /// Upper bounds of recorders' buckets, in whatever they record.
    static let plainBuckets: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000]

    /// An empty registry.
    public init() {}

    /// Runs `body` before each scrape, to set gauges from state that is kept elsewhere.
    public func beforeScrape(_ body: @escaping @Sendable () async -> Void) { state.withLock { $0.collectors.append(body) } }

    /// Says in one line what a gauge means. It is then shown also while it has no value.
    public func describe(gauge label: String, _ help: String) { state.withLock { $0.help[PrometheusText.name(label)] = help } }

    /// Everything, as Prometheus text.
    public func text() async -> String {
        for collector in state.withLock({ $0.collectors }) { await collector() }
        let (values, help) = state.withLock { ($0.values, $0.help) }
        var text = ""
        let families = Dictionary(grouping: values, by: \.key.name).merging(help.mapValues { _ in [] }) { full, _ in full }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            let kind = family.first?.value.kind ?? .gauge
            if let help = help[name] { text += "# HELP \(name) \(help)\n" }
            text += "# TYPE \(name) \(kind)\n"
            for (key, value) in family.sorted(by: { $0.key.labels < $1.key.labels }) where value.kind == kind {
                value.write(name: name, labels: key.labels, to: &text)
            }
        }
        return text
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        value(label.hasSuffix("_total") ? label : label + "_total", dimensions, kind: .counter, buckets: [])
    }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        value(label.hasSuffix("_total") ? label : label + "_total", dimensions, kind: .counter, buckets: [])
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        value(label, dimensions, kind: .gauge, buckets: [])
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? value(label, dimensions, kind: .histogram, buckets: PrometheusMetrics.plainBuckets)
            : value(label, dimensions, kind: .gauge, buckets: [])
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = label.hasSuffix("_seconds") ? label : label + "_seconds"
        return value(name, dimensions, kind: .histogram, buckets: PrometheusMetrics.secondsBuckets)
    }

    public func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { forget(handler) }

    private func value(_ name: String, _ dimensions: [(String, String)], kind: PrometheusValue.Kind, buckets: [Double]) -> PrometheusValue {
        let key = Key(name: PrometheusText.name(name), labels: PrometheusText.labels(dimensions))
        return state.withLock { state in
            if let value = state.values[key] { return value }
            let value = PrometheusValue(kind: kind, buckets: buckets)
            state.values[key] = value
            return value
        }
    }

    private func forget(_ handler: AnyObject) {
        state.withLock { state in state.values = state.values.filter { $0.value !== handler } }
    }
}
