package dev.tidestream.loadtest.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.JsonInput;

/** Reports as JSON, there and back. */
public final class JsonReport {
    private static final ObjectMapper JSON = JsonMapper.builder(JsonInput.unboundedFactory())
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private JsonReport() {}

    public static String write(RunReport report) {
        try {
            return Printable.text(JSON.writeValueAsString(report)) + "\n"; // an escape of ours is one of JSON
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @throws IOException if the file cannot be read or is no report; the message names it */
    public static RunReport read(Path file) throws IOException {
        try {
            return JSON.readValue(Files.readString(file), RunReport.class);
        } catch (NoSuchFileException e) {
            throw new IOException("no such file: " + file, e);
        } catch (MalformedInputException e) {
            throw new IOException(file + " is no report of loadtest: " + Reasons.of(e), e);
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is no report of loadtest: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new IOException(file + ": " + Reasons.of(e), e);
        }
    }
}
