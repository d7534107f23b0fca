// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the program that trains had to say, in words of its own.
 *
 * @param time when
 * @param details names and values; copied, however deep
 */
public record NoteLine(Instant time, Map<String, Object> details) implements RecordLine {
  private static final int DEEPEST = 50;

  /**
   * A note.
   *
   * @param time when
   * @param details names and values
   * @throws IllegalArgumentException naming a value that is no text, number, boolean, list or map
   *     of these
   */
  public NoteLine {
    details = details == null ? Map.of() : map("", details, 0);
  }

  private static Map<String, Object> map(String name, Map<?, ?> map, int depth) {
    require(depth < DEEPEST, name, "nested " + DEEPEST + " deep; is it part of itself?");
    Map<String, Object> copy = new LinkedHashMap<>();
    map.forEach(
        (key, value) -> {
          require(key != null, name, "a value under the name null; give it a name");
          String inner = name.isEmpty() ? String.valueOf(key) : name + "." + key;
          copy.put(String.valueOf(key), value(inner, value, depth + 1));
        });
    return Collections.unmodifiableMap(copy);
  }

  private static List<Object> list(String name, Collection<?> values, int depth) {
    require(depth < DEEPEST, name, "nested " + DEEPEST + " deep; is it part of itself?");
    List<Object> copy = new ArrayList<>();
    for (Object value : values) {
      copy.add(value(name, value, depth + 1));
    }
    return Collections.unmodifiableList(copy);
  }

  private static Object value(String name, Object value, int depth) {
    if (value == null
        || value instanceof String
        || value instanceof Boolean
        || value instanceof Integer
        || value instanceof Long
        || value instanceof Double
        || value instanceof BigInteger
        || value instanceof BigDecimal) {
      return value;
    }
    if (value instanceof Byte || value instanceof Short) {
      return ((Number) value).intValue();
    }
    if (value instanceof Float number) {
      return Double.valueOf(number.toString());
    }
    if (value instanceof CharSequence || value instanceof Character) {
      return value.toString();
    }
    if (value instanceof Enum<?> constant) {
      return constant.name();
    }
    if (value instanceof Map<?, ?> map) {
      return map(name, map, depth);
    }
    if (value instanceof Collection<?> collection) {
      return list(name, collection, depth);
    }
    if (value.getClass().isArray()) {
      List<Object> elements = new ArrayList<>();
      for (int i = 0; i < Array.getLength(value); i++) {
        elements.add(Array.get(value, i));
      }
      return list(name, elements, depth);
    }
    require(false, name, "a " + value.getClass().getName() + "; write it as text");
    return null;
  }

  private static void require(boolean rule, String name, String got) {
    if (!rule) {
      throw new IllegalArgumentException(
          "a note must be made of text, numbers, true, false, lists and maps, got in '"
              + (name.length() > 100 ? name.substring(0, 100) + "…" : name)
              + "' "
              + got);
    }
  }
}
