// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * JSON as trees. Values become JSON as in the {@linkplain org.lyapunov4j.dl4j.record.Json record}
 * of a run: what was not computed is left out, an undefined number is {@code null} and an infinite
 * one the string {@code "Infinity"} or {@code "-Infinity"}, so that no reader takes them for 0.
 */
final class Json {
  private static final ObjectMapper TREES =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private Json() {}

  /** A record, a document, or a map of such; records have another Jackson than trees. */
  static byte[] bytes(Object value) {
    return org.lyapunov4j.dl4j.record.Json.line(value).getBytes(StandardCharsets.UTF_8);
  }

  static byte[] bytes(JsonNode tree) {
    try {
      return TREES.writeValueAsBytes(tree);
    } catch (IOException e) {
      throw new IllegalStateException("a tree must be writable as JSON", e);
    }
  }

  static JsonNode parse(byte[] json) throws IOException {
    return TREES.readTree(json);
  }

  static ObjectNode tree(Object value) {
    try {
      return (ObjectNode) parse(bytes(value));
    } catch (IOException e) {
      throw new IllegalStateException("what was written as JSON must be readable", e);
    }
  }

  static ObjectNode object() {
    return TREES.createObjectNode();
  }
}
