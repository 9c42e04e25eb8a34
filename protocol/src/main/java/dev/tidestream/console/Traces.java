package dev.tidestream.console;

import java.io.PrintWriter;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** Stack traces, for a fault of ours; the messages in them may repeat what a file or a client said, so they are made printable. */
final class Traces {

    private Traces() {}

    static void print(Throwable error, PrintWriter out) {
        print(error, "", "", out, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    private static void print(Throwable error, String indent, String title, PrintWriter out, Set<Throwable> printed) {
        String message = error.getMessage();
        out.println(indent + title + error.getClass().getName() + (message == null ? "" : ": " + Printable.line(message)));
        if (!printed.add(error)) {
            return; // causes may form a circle
        }
        for (StackTraceElement frame : error.getStackTrace()) {
            out.println(indent + "\tat " + frame);
        }
        for (Throwable suppressed : error.getSuppressed()) {
            print(suppressed, indent + "\t", "Suppressed: ", out, printed);
        }
        if (error.getCause() != null) {
            print(error.getCause(), indent, "Caused by: ", out, printed);
        }
    }
}
