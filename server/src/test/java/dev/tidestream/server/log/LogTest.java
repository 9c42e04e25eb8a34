package dev.tidestream.server.log;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.OutputStreamAppender;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the server's own {@code logback.xml} makes of names and messages that would forge lines or act on a terminal. */
class LogTest {

    private static String logged(Consumer<Logger> body) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        LoggerContext context = new LoggerContext();
        context.setMDCAdapter(new LogbackMDCAdapter());
        try {
            JoranConfigurator configurator = new JoranConfigurator();
            configurator.setContext(context);
            configurator.doConfigure(LogTest.class.getResource("/logback.xml"));
            Appender<ILoggingEvent> appender = context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender("stderr");
            assertInstanceOf(OutputStreamAppender.class, appender).setOutputStream(bytes);
            body.accept(context.getLogger("dev.tidestream.Test"));
        } finally {
            context.stop();
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldWriteAMessageInOneLine() throws Exception {
        String log = logged(logger -> logger.info("loaded: model={}, file={}", "\u001b[2J\nt: ready on ws://x/\u202e", "é"));
        assertTrue(log.endsWith("loaded: model=\\u001b[2J\\nt: ready on ws://x/\\u202e, file=é\n"), log);
        assertEquals(1, log.lines().count(), log);
    }

    @Test
    void shouldWriteMessagesOfExceptionsInOneLineEach() throws Exception {
        IllegalStateException error = new IllegalStateException("a\nforged", new IOException("b\u001b\rforged"));
        error.addSuppressed(new IOException("c\nforged"));
        String log = logged(logger -> logger.error("failed", error));
        assertTrue(log.lines().noneMatch(line -> line.startsWith("forged")), log);
        assertTrue(log.contains("java.lang.IllegalStateException: a\\nforged\n"), log);
        assertTrue(log.contains("Suppressed: java.io.IOException: c\\nforged\n"), log);
        assertTrue(log.contains("Caused by: java.io.IOException: b\\u001b\\rforged\n"), log);
        assertTrue(log.contains("\tat dev.tidestream.server.log.LogTest"), log);
    }
}
