package dev.tidestream.server.tracing;

import java.net.URI;
import java.time.Duration;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends spans to a collector: OTLP over HTTP, by the JDK's client, in batches, on a thread of its own. Spans of traces that their caller
 * does not sample are not sent. Where a collector does not keep up, or is away, what is beyond {@value #MAX_WAITING} spans is lost, and
 * nobody waits.
 */
public final class OtlpExport implements AutoCloseable {
    /** Most spans that wait to be sent. */
    public static final int MAX_WAITING = 2048;

    private static final Logger log = LoggerFactory.getLogger(OtlpExport.class);
    private static final java.util.logging.Logger LIBRARY = java.util.logging.Logger.getLogger("io.opentelemetry"); // held, so that it stays
    private static final String TRACES_PATH = "/v1/traces";
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    /** A collector that is away must not hold up the end of the server. */
    private static final RetryPolicy ONCE_MORE = RetryPolicy.builder().setMaxAttempts(2).setInitialBackoff(Duration.ofMillis(200)).build();
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final OpenTelemetrySdk sdk;

    /**
     * To a collector.
     *
     * @param endpoint of it; without a path, what OTLP has is added
     * @param version of this program
     */
    public OtlpExport(URI endpoint, String version) {
        LIBRARY.setUseParentHandlers(false);
        if (LIBRARY.getHandlers().length == 0) {
            LIBRARY.addHandler(new ToOurLog());
        }
        OtlpHttpSpanExporter exporter = OtlpHttpSpanExporter.builder().setEndpoint(url(endpoint)).setTimeout(TIMEOUT)
                .setRetryPolicy(ONCE_MORE).build();
        SdkTracerProvider tracers = SdkTracerProvider.builder()
                .setResource(Resource.getDefault().merge(Resource.create(Attributes.of(
                        AttributeKey.stringKey("service.name"), "tidestream", AttributeKey.stringKey("service.version"), version))))
                .setSampler(Sampler.parentBased(Sampler.alwaysOn()))
                .addSpanProcessor(BatchSpanProcessor.builder(exporter).setMaxQueueSize(MAX_WAITING).setScheduleDelay(INTERVAL)
                        .setExporterTimeout(TIMEOUT).build())
                .build();
        sdk = OpenTelemetrySdk.builder().setTracerProvider(tracers).build();
    }

    static String url(URI endpoint) {
        String path = endpoint.getPath();
        return path == null || path.isEmpty() || path.equals("/") ? endpoint.resolve(TRACES_PATH).toString() : endpoint.toString();
    }

    /** What makes spans that are sent. */
    public OpenTelemetry telemetry() {
        return sdk;
    }

    /** What waits is sent, or not within the timeout. */
    @Override
    public void close() {
        sdk.close();
    }

    /** What the library says, at its own limited rate, is a line of our log as any other. */
    private static final class ToOurLog extends Handler {
        @Override
        public void publish(LogRecord line) {
            Throwable cause = line.getThrown();
            if (line.getLevel().intValue() >= Level.WARNING.intValue()) {
                log.warn("spans: {}{}", line.getMessage(), cause == null ? "" : " " + cause);
            }
            log.debug("spans: {}", line.getMessage(), cause);
        }

        @Override
        public void flush() {} // nothing is kept

        @Override
        public void close() {}
    }
}
