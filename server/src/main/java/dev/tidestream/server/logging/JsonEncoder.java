package dev.tidestream.server.logging;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Map;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;

/**
 * Log events for machines: a JSON object in one line each, in ASCII, so that no text in it can break a line or speak to a terminal.
 *
 * <pre>
 * {"time":"2026-12-01T12:26:04.155Z","level":"INFO","logger":"tidestream.streams","event":"stream","outcome":"length","stream":7,…}
 * {"time":"2026-12-01T12:26:04.155Z","level":"ERROR","logger":"…","message":"…","exception":"…"}
 * </pre>
 */
public final class JsonEncoder extends EncoderBase<ILoggingEvent> {
    private static final byte[] NOTHING = {};
    private static final int LINE_BYTES = 256;

    private final JsonFactory json = JsonFactory.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    @Override
    public byte[] headerBytes() {
        return NOTHING;
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
        ByteArrayOutputStream line = new ByteArrayOutputStream(LINE_BYTES);
        try (JsonGenerator g = json.createGenerator(line)) {
            g.writeStartObject();
            g.writeStringField("time", DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(event.getInstant().atZone(ZoneId.systemDefault())));
            g.writeStringField("level", event.getLevel().toString());
            g.writeStringField("logger", event.getLoggerName());
            Object[] arguments = event.getArgumentArray();
            if (arguments != null && arguments.length == 1 && arguments[0] instanceof EventLine named) {
                g.writeStringField("event", named.event());
                for (Map.Entry<String, Object> field : named.fields().entrySet()) {
                    g.writeObjectField(field.getKey(), field.getValue());
                }
            } else {
                g.writeStringField("message", event.getFormattedMessage());
            }
            if (event.getThrowableProxy() != null) {
                g.writeStringField("exception", ThrowableProxyUtil.asString(event.getThrowableProxy()));
            }
            g.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        line.write('\n');
        return line.toByteArray();
    }

    @Override
    public byte[] footerBytes() {
        return NOTHING;
    }
}
