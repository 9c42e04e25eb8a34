package dev.tidestream.server.log;

import ch.qos.logback.classic.pattern.ThrowableProxyConverter;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;

/** {@code %ex}: a stack trace in which each message is one line. */
public final class PrintableException extends ThrowableProxyConverter {
    @Override
    protected String throwableProxyToString(IThrowableProxy error) {
        return super.throwableProxyToString(new Printed(error));
    }

    /** An exception with a printable message, and so are its causes. */
    private record Printed(IThrowableProxy error) implements IThrowableProxy {
        @Override
        public @Nullable String getMessage() {
            return error.getMessage() == null ? null : Printable.line(error.getMessage());
        }

        @Override
        public @Nullable IThrowableProxy getCause() {
            return error.getCause() == null ? null : new Printed(error.getCause());
        }

        @Override
        public IThrowableProxy @Nullable [] getSuppressed() {
            IThrowableProxy[] suppressed = error.getSuppressed();
            if (suppressed == null) {
                return null;
            }
            IThrowableProxy[] printed = new IThrowableProxy[suppressed.length];
            for (int i = 0; i < printed.length; i++) {
                printed[i] = new Printed(suppressed[i]);
            }
            return printed;
        }

        @Override
        public String getClassName() {
            return error.getClassName();
        }

        @Override
        public StackTraceElementProxy[] getStackTraceElementProxyArray() {
            return error.getStackTraceElementProxyArray();
        }

        @Override
        public int getCommonFrames() {
            return error.getCommonFrames();
        }

        @Override
        public boolean isCyclic() {
            return error.isCyclic();
        }
    }
}
