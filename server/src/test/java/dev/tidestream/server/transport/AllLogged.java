package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.List;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** All that is logged meanwhile by the server and its libraries, at every level; it goes nowhere else. */
final class AllLogged implements AutoCloseable {
    private final List<Logger> loggers = List.of(
            (Logger) LoggerFactory.getLogger("dev.tidestream"),
            (Logger) LoggerFactory.getLogger("tidestream"),
            (Logger) LoggerFactory.getLogger("io.netty"),
            (Logger) LoggerFactory.getLogger("io.vertx"));
    private final List<@Nullable Level> levels = new ArrayList<>(); // of these, before
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

    AllLogged() {
        appender.start();
        for (Logger logger : loggers) {
            levels.add(logger.getLevel());
            logger.setLevel(Level.TRACE);
            logger.setAdditive(false); // to the list, not to the console
            logger.addAppender(appender);
        }
    }

    /** Messages with their traces, so far. */
    List<String> lines() {
        synchronized (appender) { // as it does itself when it appends
            return appender.list.stream().map(event -> event.getFormattedMessage()
                    + (event.getThrowableProxy() == null ? "" : ThrowableProxyUtil.asString(event.getThrowableProxy()))).toList();
        }
    }

    @Override
    public void close() {
        for (int i = 0; i < loggers.size(); i++) {
            loggers.get(i).setLevel(levels.get(i));
            loggers.get(i).setAdditive(true);
            loggers.get(i).detachAppender(appender);
        }
    }
}
