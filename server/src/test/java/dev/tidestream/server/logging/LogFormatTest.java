package dev.tidestream.server.logging;

import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Locale;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the server's logback.xml makes of events. */
class LogFormatTest {
    private final LoggerContext context = new LoggerContext();
    private final Locale locale = Locale.getDefault();

    @SuppressWarnings("NullAway.Init") // before each test
    private ConsoleAppender<ILoggingEvent> appender;

    @BeforeEach
    void configure() throws Exception {
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        URL file = LogFormatTest.class.getResource("/logback.xml");
        assertNotNull(file);
        configurator.doConfigure(file);
        appender = (ConsoleAppender<ILoggingEvent>) context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender("stderr");
        assertEquals("System.err", appender.getTarget());
    }

    @AfterEach
    void putBack() {
        context.stop();
        Locale.setDefault(locale);
    }

    private String line(String message, @Nullable Throwable thrown, Object... arguments) {
        Logger logger = context.getLogger("dev.tidestream.server.app.Serving");
        ILoggingEvent event = new LoggingEvent(Logger.class.getName(), logger, Level.INFO, message, thrown, arguments);
        return new String(appender.getEncoder().encode(event), StandardCharsets.UTF_8);
    }

    @Test
    void shouldBeginWithDateTimeAndOffsetInAsciiDigitsWhateverTheLocale() {
        String line = line("loaded: model={}, since_start_ms={}", null, "ü 模型", 17);
        OffsetDateTime when = OffsetDateTime.parse(line.substring(0, line.indexOf(' ')));
        assertTrue(Math.abs(when.toEpochSecond() - System.currentTimeMillis() / 1000) < 3600, line);
        assertEquals(" INFO  Serving - loaded: model=ü 模型, since_start_ms=17\n", line.substring(line.indexOf(' ')));
    }

    @Test
    void shouldKeepAnEventInOneLineWhateverTextItHas() {
        String forged = "x\n2026-12-01T00:00:00.000Z INFO  Serving - ready\r\u001b[2J\u009b31m\u202e\u2028\t\ud800";
        String line = line("refused: id={}", null, forged);
        assertEquals(1, line.lines().count(), line);
        assertTrue(line.endsWith("refused: id=x\\n2026-12-01T00:00:00.000Z INFO  Serving - "
                + "ready\\r\\u001b[2J\\u009b31m\\u202e\\u2028\\t\\ud800\n"), line);
    }

    @Test
    void shouldBeginEveryLineOfATraceWithATab() {
        IllegalStateException thrown = new IllegalStateException("one\ntwo", new IllegalArgumentException("why\u001b[0m"));
        thrown.addSuppressed(new IllegalStateException("also\r\n2026-12-01T00:00:00.000Z"));
        List<String> lines = line("failed", thrown).lines().toList();
        assertTrue(lines.getFirst().endsWith(" INFO  Serving - failed"), lines.getFirst());
        assertEquals("\tjava.lang.IllegalStateException: one\\ntwo", lines.get(1));
        assertTrue(lines.subList(1, lines.size()).stream().allMatch(line -> line.startsWith("\t")), lines.toString());
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("\t\tat dev.tidestream.server.logging.LogFormatTest.")),
                lines.toString());
        assertTrue(lines.contains("\tcaused by: java.lang.IllegalArgumentException: why\\u001b[0m"), lines.toString());
        assertTrue(lines.contains("\t\tsuppressed: java.lang.IllegalStateException: also\\r\\n2026-12-01T00:00:00.000Z"), lines.toString());
    }
}
