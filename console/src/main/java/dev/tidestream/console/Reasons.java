package dev.tidestream.console;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.UnmappableCharacterException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/**
 * What exceptions say to people: a cause, with the file and the value, and no name of a Java class. Many exceptions of the JDK
 * have for a message the path alone, or nothing.
 *
 * <p>The rules for our own: an exception's message is complete, but for an {@link UncheckedIOException}, whose message says what was
 * being done, and whose cause says why that failed.
 */
public final class Reasons {

    private Reasons() {}

    /** The whole message of a failure: as {@link #of}, after the file that it is about, if the exception knows one. */
    public static String message(Throwable failure) {
        if (failure instanceof FileSystemException file && file.getFile() != null) {
            String other = file.getOtherFile();
            return file.getFile() + (other == null ? "" : " -> " + other) + ": " + of(failure);
        }
        if (failure instanceof UncheckedIOException unchecked) {
            IOException cause = Objects.requireNonNull(unchecked.getCause()); // it has one, always
            return unchecked(unchecked, names(unchecked) ? of(cause) : message(cause));
        }
        return of(failure);
    }

    /** Whether the message names the file already that the cause is about. */
    private static boolean names(UncheckedIOException failure) {
        String what = String.valueOf(failure.getMessage());
        return failure.getCause() instanceof FileSystemException file && file.getFile() != null
                && what.contains(file.getFile()) && !what.equals(file.toString());
    }

    /** Why something failed, to stand after a text that says what, with the file; not capitalised, without a full stop. */
    public static String of(Throwable failure) {
        return switch (failure) {
            case FileSystemException file -> ofFile(file);
            case OutOfMemoryError memory -> OutOfMemory.message(memory);
            case UncheckedIOException unchecked -> unchecked(unchecked, of(Objects.requireNonNull(unchecked.getCause())));
            case ExecutionException wrapper -> ofWrapped(wrapper);
            case CompletionException wrapper -> ofWrapped(wrapper);
            case UnknownHostException host -> "unknown host" + detail(host);
            case UnresolvedAddressException _ -> "unknown host";
            case BindException bind -> decapitalised(messageOr(bind, "the address cannot be used"));
            case ConnectException connect -> ofConnect(connect);
            case SocketTimeoutException timeout -> decapitalised(messageOr(timeout, "no answer in time"));
            case InterruptedIOException interrupted -> decapitalised(messageOr(interrupted, "interrupted"));
            case TimeoutException timeout -> messageOr(timeout, "no answer in time");
            case CancellationException cancelled -> messageOr(cancelled, "cancelled");
            case ClosedChannelException closed -> messageOr(closed, "closed in the meantime");
            case OverlappingFileLockException locked -> messageOr(locked, "locked by this process");
            case FileNotFoundException missing -> messageOr(missing, "no such file");
            case EOFException end -> messageOr(end, "it ends too early");
            case InvalidPathException path -> invalidPath(path);
            default -> other(failure);
        };
    }

    private static String ofFile(FileSystemException failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException _ -> "it exists already";
            case NotDirectoryException _ -> "not a directory";
            case DirectoryNotEmptyException _ -> "the directory is not empty";
            case FileSystemLoopException _ -> "symbolic links lead in a circle";
            default -> failure.getReason() == null ? words(failure) : decapitalised(failure.getReason());
        };
    }

    private static String unchecked(UncheckedIOException failure, String reason) {
        String what = failure.getMessage();
        return what == null || what.equals(String.valueOf(failure.getCause())) || what.endsWith(reason)
                ? reason : what + ": " + reason;
    }

    /** Of an exception that only carries another one from thread to thread. */
    private static String ofWrapped(Exception wrapper) {
        return wrapper.getCause() == null ? other(wrapper) : of(wrapper.getCause());
    }

    /** The JDK's HTTP client says nothing of the host, but for the cause of a cause. */
    private static String ofConnect(ConnectException failure) {
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException) {
                return of(cause);
            }
        }
        return decapitalised(messageOr(failure, "connection refused"));
    }

    private static String invalidPath(InvalidPathException failure) {
        // The JDK says this of characters that the locale's encoding has not.
        return failure.getReason().startsWith("Malformed input") ? "the locale's encoding (%s) has no such name, LC_ALL=C.UTF-8 has"
                .formatted(System.getProperty("sun.jnu.encoding")) : decapitalised(failure.getReason());
    }

    private static String other(Throwable failure) {
        if (failure instanceof MalformedInputException || failure instanceof UnmappableCharacterException) {
            return "it is not UTF-8";
        }
        String message = failure.getMessage();
        Throwable cause = failure.getCause();
        if (cause != null && (message == null || message.equals(cause.toString()))) {
            return of(cause);
        }
        String said = messageOr(failure, words(failure));
        return failure instanceof IOException ? decapitalised(said) : said;
    }

    private static String messageOr(Throwable failure, String otherwise) {
        String message = failure.getMessage();
        return message == null || message.isBlank() ? otherwise : message;
    }

    private static String detail(Throwable failure) {
        return failure.getMessage() == null ? "" : ": " + failure.getMessage();
    }

    /** The system's own words begin with a capital. */
    private static String decapitalised(String text) {
        return text.length() > 1 && Character.isLowerCase(text.charAt(1))
                ? text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1) : text;
    }

    /** Of an exception that says nothing else: {@code ReadPendingException} says "read pending". */
    private static String words(Throwable failure) {
        String name = failure.getClass().getSimpleName().replaceFirst("(Exception|Error)$", "");
        String words = name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
        return words.isBlank() ? "for an unknown reason" : words;
    }
}
