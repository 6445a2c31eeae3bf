import Metrics
import Synchronization

/// One time series: a counter, a gauge, or a histogram with its buckets.
final class PrometheusValue: Sendable {
    enum Kind: String, CustomStringConvertible {
        case counter, gauge, histogram
        var description: String { rawValue }
    }

    private struct State {
        var number = 0.0
        var count: UInt64 = 0
        /// Observations in each bucket alone; the text shows them cumulated.
        var inBucket: [UInt64]
    }

    let kind: Kind
    private let buckets: [Double]
    private let state: Mutex<State>

    init(kind: Kind, buckets: [Double]) {
        self.kind = kind
        self.buckets = buckets
        state = Mutex(State(inBucket: Array(repeating: 0, count: buckets.count)))
    }

    func add(_ amount: Double) {
        guard amount.isFinite else { return }
        state.withLock { $0.number += amount }
    }

    func setNumber(_ value: Double) { state.withLock { $0.number = value } }

    func observe(_ value: Double) {
        guard kind == .histogram else { return setNumber(value) }
        guard value.isFinite else { return }
        state.withLock { state in
            state.number += value
            state.count += 1
            if let index = buckets.firstIndex(where: { value <= $0 }) { state.inBucket[index] += 1 }
        }
    }

    func clear() { state.withLock { $0 = State(inBucket: Array(repeating: 0, count: buckets.count)) } }

    func write(name: String, labels: String, to text: inout String) {
        let state = state.withLock { $0 }
        guard kind == .histogram else {
            text += "\(name)\(PrometheusText.braces(labels)) \(PrometheusText.number(state.number))\n"
            return
        }
        var sum: UInt64 = 0
        for (bound, count) in zip(buckets, state.inBucket) {
            sum += count
            text += "\(name)_bucket\(PrometheusText.braces(labels, le: PrometheusText.number(bound))) \(sum)\n"
        }
        text += "\(name)_bucket\(PrometheusText.braces(labels, le: "+Inf")) \(state.count)\n"
        text += "\(name)_sum\(PrometheusText.braces(labels)) \(PrometheusText.number(state.number))\n"
        text += "\(name)_count\(PrometheusText.braces(labels)) \(state.count)\n"
    }
}

extension PrometheusValue: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    func increment(by amount: Int64) { add(Double(amount)) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func reset() { clear() }
    func set(_ value: Int64) { setNumber(Double(value)) }
    func set(_ value: Double) { setNumber(value) }
    func record(_ value: Int64) { observe(Double(value)) }
    func record(_ value: Double) { observe(value) }
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}
