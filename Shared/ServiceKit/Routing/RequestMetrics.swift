import Metrics
import Synchronization

/// The counters and timers of requests, kept by what they count: finding one by its labels' text anew for each request costs more than the
/// counting. Bound: the known methods, the service's own routes, and statuses.
final class RequestMetrics: Sendable {
    struct Series: Hashable, Sendable {
        let method: String
        let route: String
        let status: Int
    }

    private let factory: PrometheusMetrics
    private let known = Mutex<[Series: (count: Counter, time: Timer)]>([:])

    init(_ factory: PrometheusMetrics) { self.factory = factory }

    func record(_ series: Series, duration: Duration) {
        let (count, time) = known.withLock { known in
            if let handles = known[series] { return handles }
            let labels = [("method", series.method), ("route", series.route)]
            let handles = (
                count: Counter(label: "http_requests_total", dimensions: labels + [("status", "\(series.status)")], factory: factory),
                time: Timer(label: "http_request_duration_seconds", dimensions: labels, factory: factory)
            )
            known[series] = handles
            return handles
        }
        count.increment()
        time.record(duration: duration)
    }
}
