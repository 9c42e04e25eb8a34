package dev.tidestream.server.cli;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.IntConsumer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals of the system, where the JVM lets a program have them: {@code sun.misc.Signal} of the module jdk.unsupported, by
 * reflection since no compiler likes it. Where there is none, signals do what the JVM does with them.
 */
final class ProcessSignals {
    private static final Logger log = LoggerFactory.getLogger(ProcessSignals.class);

    private ProcessSignals() {}

    /**
     * Calls back instead of what the JVM would do, on a thread of the JVM.
     *
     * @param name e.g. {@code HUP}
     * @param handler gets the signal's number
     * @return false if that is not possible here
     */
    static boolean on(String name, IntConsumer handler) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handling = Class.forName("sun.misc.SignalHandler");
            Method number = signal.getMethod("getNumber");
            Object proxy = Proxy.newProxyInstance(handling.getClassLoader(), new Class<?>[] {handling}, (self, method, args) ->
                    switch (method.getName()) {
                        case "handle" -> {
                            handler.accept((Integer) number.invoke(args[0]));
                            yield null;
                        }
                        case "equals" -> self == args[0];
                        case "hashCode" -> System.identityHashCode(self);
                        default -> "handler of " + name;
                    });
            signal.getMethod("handle", signal, handling).invoke(null, signal.getConstructor(String.class).newInstance(name),
                    proxy);
            return true;
        } catch (ReflectiveOperationException e) { // no such class, no such signal, or one that the JVM has for itself
            log.debug("no handler for this signal: name={}", name, e);
            return false;
        }
    }
}
