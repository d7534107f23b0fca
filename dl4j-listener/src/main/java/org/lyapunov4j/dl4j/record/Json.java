// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.time.Instant;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.core.json.JsonWriteFeature;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.DeserializationFeature;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.deser.std.StdDeserializer;
import org.nd4j.shade.jackson.databind.json.JsonMapper;
import org.nd4j.shade.jackson.databind.module.SimpleModule;
import org.nd4j.shade.jackson.databind.ser.std.StdSerializer;
import org.nd4j.shade.jackson.databind.ser.std.ToStringSerializer;

/**
 * How records become JSON: fields that do not apply are left out, infinities are the strings {@code
 * "Infinity"} and {@code "-Infinity"}, an undefined number is {@code null}, and only ASCII is
 * written, so that no locale can spoil it. Read back, a number is the same to the last bit.
 */
public final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .addModule(
              new SimpleModule()
                  .addSerializer(double.class, new NumberSerializer())
                  .addSerializer(Double.class, new NumberSerializer())
                  .addDeserializer(double.class, new NumberDeserializer())
                  .addSerializer(CheckpointDocument.class, new DocumentSerializer())
                  .addSerializer(Instant.class, ToStringSerializer.instance)
                  .addDeserializer(Instant.class, new InstantDeserializer()))
          .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
          .build();

  private Json() {}

  /**
   * A record on one line.
   *
   * @param record any record of this package, a document, or a record or map of them
   * @return a JSON object without line ends
   */
  public static String line(Object record) {
    return write(record, false);
  }

  /**
   * A record for people to read.
   *
   * @param record any record of this package, a document, or a record or map of them
   * @return an indented JSON object
   */
  public static String pretty(Object record) {
    return write(record, true);
  }

  /**
   * Reads what {@link #line} wrote; fields that are not known are ignored.
   *
   * @param <T> the type
   * @param utf8 a JSON object
   * @param type a record, or {@link CheckpointDocument} for a line or a document of one
   * @return the same, its numbers to the last bit
   * @throws IOException if it is no such object
   */
  public static <T> T read(byte[] utf8, Class<T> type) throws IOException {
    return type == CheckpointDocument.class
        ? type.cast(DocumentJson.document(MAPPER.readTree(utf8)))
        : MAPPER.readValue(utf8, type);
  }

  /** Reads a line of a record; fields that are not known are ignored. */
  static RecordLine readLine(byte[] utf8) throws IOException {
    JsonNode line = MAPPER.readTree(utf8);
    return DocumentJson.isCheckpoint(line)
        ? new CheckpointLine(DocumentJson.read(line))
        : MAPPER.treeToValue(line, RecordLine.class);
  }

  private static String write(Object any, boolean indented) {
    Object record = any instanceof CheckpointLine line ? DocumentJson.line(line.document()) : any;
    try {
      return indented
          ? MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(record)
          : MAPPER.writeValueAsString(record);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record must be writable as JSON", e);
    }
  }

  private static final class DocumentSerializer extends StdSerializer<CheckpointDocument> {
    private static final long serialVersionUID = 1;

    DocumentSerializer() {
      super(CheckpointDocument.class);
    }

    @Override
    public void serialize(
        CheckpointDocument document, JsonGenerator generator, SerializerProvider provider)
        throws IOException {
      provider.defaultSerializeValue(DocumentJson.tree(document), generator);
    }
  }

  private static final class NumberSerializer extends StdSerializer<Double> {
    private static final long serialVersionUID = 1;

    NumberSerializer() {
      super(Double.class);
    }

    @Override
    public void serialize(Double value, JsonGenerator generator, SerializerProvider provider)
        throws IOException {
      if (value.isNaN()) {
        generator.writeNull();
      } else if (value.isInfinite()) {
        generator.writeString(value.toString());
      } else {
        generator.writeNumber(value);
      }
    }
  }

  private static final class NumberDeserializer extends StdDeserializer<Double> {
    private static final long serialVersionUID = 1;

    NumberDeserializer() {
      super(double.class);
    }

    @Override
    public Double deserialize(JsonParser parser, DeserializationContext context)
        throws IOException {
      return _parseDoublePrimitive(parser, context);
    }

    @Override
    public Double getNullValue(DeserializationContext context) {
      return Double.NaN;
    }

    @Override
    public Double getAbsentValue(DeserializationContext context) {
      return Double.NaN;
    }
  }

  private static final class InstantDeserializer extends StdDeserializer<Instant> {
    private static final long serialVersionUID = 1;

    InstantDeserializer() {
      super(Instant.class);
    }

    @Override
    public Instant deserialize(JsonParser parser, DeserializationContext context)
        throws IOException {
      try {
        return Instant.parse(parser.getText());
      } catch (java.time.DateTimeException e) {
        throw context.weirdStringException(parser.getText(), Instant.class, e.getMessage());
      }
    }
  }
}
