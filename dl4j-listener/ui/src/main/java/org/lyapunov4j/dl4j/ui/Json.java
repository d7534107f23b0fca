// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.io.IOException;
import java.time.Instant;
import org.nd4j.shade.jackson.annotation.JsonInclude;
import org.nd4j.shade.jackson.core.JsonGenerator;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.SerializerProvider;
import org.nd4j.shade.jackson.databind.json.JsonMapper;
import org.nd4j.shade.jackson.databind.module.SimpleModule;
import org.nd4j.shade.jackson.databind.node.ObjectNode;
import org.nd4j.shade.jackson.databind.ser.std.StdSerializer;
import org.nd4j.shade.jackson.databind.ser.std.ToStringSerializer;

/**
 * How checkpoints become JSON, with the Jackson that ND4J brings: what was not computed is left
 * out, an undefined number is {@code null} and an infinite one the string {@code "Infinity"} or
 * {@code "-Infinity"}, so that no reader takes them for 0.
 */
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .addModule(
              new SimpleModule()
                  .addSerializer(double.class, new NumberSerializer())
                  .addSerializer(Double.class, new NumberSerializer())
                  .addSerializer(Instant.class, ToStringSerializer.instance))
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
          .build();

  private Json() {}

  static byte[] bytes(Object value) {
    try {
      return MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record must be writable as JSON", e);
    }
  }

  static JsonNode parse(byte[] json) throws IOException {
    return MAPPER.readTree(json);
  }

  static ObjectNode tree(Object value) {
    return MAPPER.valueToTree(value);
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
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
}
