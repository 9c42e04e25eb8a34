package dev.tidestream.protocol;

import java.io.IOException;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;

/**
 * How JSON that others wrote is read, from sockets and from files; safe for use by any thread.
 *
 * <p>By default Jackson keeps every field name it has seen in a symbol table that all parsers of a factory share, and interns
 * it. Whoever sends many names makes that table grow, and names that collide make it fail, for the next frame, too. Here a name
 * belongs to its text and to nothing else ({@code CANONICALIZE_FIELD_NAMES}, {@code INTERN_FIELD_NAMES} off). Nesting, names,
 * numbers, strings, the whole text and the number of fields are bounded, and what is too much is refused where it is met, not
 * at the end. Fields are counted over all objects of a text. Duplicate fields are an error.
 */
public final class JsonInput {
    private static final int MAX_NUMBER_CHARS = 128;

    private final int maxFields;
    private final JsonFactory factory;
    private final ObjectReader reader;

    /** A text with more fields than may be. */
    public static final class TooManyFieldsException extends StreamConstraintsException {
        private static final long serialVersionUID = 1L;

        private TooManyFieldsException(int limit) {
            super("too many fields in one message: fields>" + limit + ", limit=" + limit);
        }
    }

    /**
     * @param maxChars longest text, in UTF-16 code units
     * @param maxDepth deepest nesting of objects and arrays
     * @param maxFields most fields, those of all objects together
     * @param maxNameChars longest name of a field, in UTF-16 code units
     */
    public JsonInput(int maxChars, int maxDepth, int maxFields, int maxNameChars) {
        this(maxChars, maxDepth, maxFields, maxNameChars, maxChars);
    }

    /** @param maxTokens most names, values and brackets together */
    public JsonInput(int maxChars, int maxDepth, int maxFields, int maxNameChars, int maxTokens) {
        this.maxFields = maxFields;
        this.factory = builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(maxDepth)
                        .maxNumberLength(MAX_NUMBER_CHARS)
                        .maxNameLength(maxNameChars)
                        .maxStringLength(maxChars)
                        .maxDocumentLength(maxChars)
                        .maxTokenCount(maxTokens)
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .build();
        this.reader = new ObjectMapper(factory).reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    }

    /** For what a user chose to read: names are not kept; nesting, names, numbers and strings have Jackson's own bounds. */
    public static JsonFactory unboundedFactory() {
        return builder().build();
    }

    private static JsonFactoryBuilder builder() {
        return (JsonFactoryBuilder) JsonFactory.builder()
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES);
    }

    JsonFactory factory() {
        return factory;
    }

    /** A parser of this text, within all bounds. */
    public JsonParser parser(String text) throws IOException {
        return new CountingParser(factory.createParser(text), maxFields);
    }

    /**
     * The tree of a text that is one JSON value; a missing node if it is empty.
     *
     * @throws TooManyFieldsException if it has more fields than may be
     * @throws JsonProcessingException if it is anything else but one JSON value within the bounds
     */
    public JsonNode tree(String text) throws JsonProcessingException {
        try (JsonParser parser = parser(text)) {
            JsonNode tree = reader.readTree(parser);
            return tree == null ? reader.missingNode() : tree;
        } catch (JsonProcessingException e) {
            throw e;
        } catch (IOException e) {
            throw new AssertionError("a string does no I/O", e);
        }
    }

    /** Counts names as they come; every way to another token leads through {@link #nextToken}. */
    private static final class CountingParser extends JsonParserDelegate {
        private final int maxFields;
        private int fields;

        CountingParser(JsonParser parser, int maxFields) {
            super(parser);
            this.maxFields = maxFields;
        }

        @Override
        public JsonToken nextToken() throws IOException {
            JsonToken token = super.nextToken();
            if (token == JsonToken.FIELD_NAME && ++fields > maxFields) {
                throw new TooManyFieldsException(maxFields);
            }
            return token;
        }

        @Override
        public JsonToken nextValue() throws IOException {
            JsonToken token = nextToken();
            return token == JsonToken.FIELD_NAME ? nextToken() : token;
        }

        @Override
        public JsonParser skipChildren() throws IOException {
            if (!currentToken().isStructStart()) {
                return this;
            }
            int open = 1;
            while (open > 0) {
                JsonToken token = nextToken();
                if (token == null) {
                    return this;
                }
                open += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            }
            return this;
        }
    }
}
