package dev.tidestream.server.tracing;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.zip.GZIPInputStream;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.LoggedLines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OtlpExportTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final RequestTrace SAMPLED = RequestTrace.of("00-" + TRACE + "-00f067aa0ba902b7-01", null);
    private static final StreamSpans.Ended ENDED =
            new StreamSpans.Ended(7, "m/1", "stop", null, new Usage(5, 3), new Timing(10, 40, 100, 33),
            4, 1_795_000_000_000L);

    private record Request(String path, String type, byte[] body) {
        static Request of(HttpExchange exchange) throws Exception {
            byte[] body = exchange.getRequestBody().readAllBytes();
            boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
            try (InputStream in = zipped ? new GZIPInputStream(new ByteArrayInputStream(body)) : new ByteArrayInputStream(body)) {
                return new Request(exchange.getRequestURI().getPath(), exchange.getRequestHeaders().getFirst("Content-Type"),
                        in.readAllBytes());
            }
        }
    }

    /** What waits is sent when the exporter is closed. */
    @Test
    void shouldSendSpansToACollector() throws Exception {
        Queue<Request> came = new ConcurrentLinkedQueue<>();
        HttpServer collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/", exchange -> {
            try (exchange) {
                came.add(Request.of(exchange));
                exchange.sendResponseHeaders(200, -1);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        collector.start();
        try (OtlpExport export = new OtlpExport(URI.create("http://127.0.0.1:" + collector.getAddress().getPort()), "1.2.3")) {
            new StreamSpans(export::telemetry).ended(SAMPLED, ENDED);
        } finally {
            collector.stop(0);
        }
        assertEquals(1, came.size());
        Request request = came.remove();
        assertEquals("/v1/traces", request.path());
        assertEquals("application/x-protobuf", request.type());
        String body = new String(request.body(), StandardCharsets.ISO_8859_1);
        assertTrue(body.contains(new String(HexFormat.of().parseHex(TRACE), StandardCharsets.ISO_8859_1)), body);
        assertTrue(body.contains("text_completion m/1") && body.contains("gen_ai.usage.output_tokens") && body.contains("1.2.3"), body);
    }

    /** Nobody waits for a collector that is away, and the log says so. */
    @Test
    void shouldSayThatACollectorIsAway() throws Exception {
        try (Socket nobody = new Socket(); LoggedLines logged = new LoggedLines(OtlpExport.class.getName())) {
            nobody.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)); // others cannot have it meanwhile
            try (OtlpExport export =
                    new OtlpExport(URI.create("http://127.0.0.1:" + nobody.getLocalPort() + "/v1/traces"), "1.2.3")) {
                new StreamSpans(export::telemetry).ended(SAMPLED, ENDED);
            }
            assertTrue(logged.lines().getFirst().startsWith("WARN spans: "), logged.lines().toString());
        }
    }

    @Test
    void shouldAddThePathThatOtlpHas() {
        assertEquals("http://c:4318/v1/traces", OtlpExport.url(URI.create("http://c:4318")));
        assertEquals("http://c:4318/v1/traces", OtlpExport.url(URI.create("http://c:4318/")));
        assertEquals("https://c/otlp/x", OtlpExport.url(URI.create("https://c/otlp/x")));
    }
}
