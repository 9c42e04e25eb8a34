/**
 * What all commands have in common, of the server and of the load test: arguments that come in, and text that leaves. Text of
 * files, clients and other servers is made fit for terminals and logs here ({@link dev.tidestream.console.Printable}), exceptions
 * become messages here ({@link dev.tidestream.console.Reasons}), and output that cannot be written ends a command here
 * ({@link dev.tidestream.console.CommandOutput}). JDK and picocli; knows no other room.
 */
@NullMarked
package dev.tidestream.console;

import org.jspecify.annotations.NullMarked;
