// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The dictionary at the head of a NumPy file, {@code {'descr': '<f8', 'fortran_order': False,
 * 'shape': (3, 3), }}. Only this shape of literal is understood; nothing is ever evaluated.
 *
 * @param type of the entries
 * @param order their byte order
 * @param columnMajor whether columns are contiguous
 * @param shape the dimensions, each at least 0
 */
record NpyHeader(ElementType type, ByteOrder order, boolean columnMajor, List<Long> shape) {
  private static final Map<String, ElementType> TYPES =
      Map.ofEntries(
          Map.entry("b1", ElementType.BOOL),
          Map.entry("i1", ElementType.INT8),
          Map.entry("u1", ElementType.UINT8),
          Map.entry("i2", ElementType.INT16),
          Map.entry("u2", ElementType.UINT16),
          Map.entry("i4", ElementType.INT32),
          Map.entry("u4", ElementType.UINT32),
          Map.entry("i8", ElementType.INT64),
          Map.entry("u8", ElementType.UINT64),
          Map.entry("f2", ElementType.FLOAT16),
          Map.entry("f4", ElementType.FLOAT32),
          Map.entry("f8", ElementType.FLOAT64));

  /**
   * Reads the dictionary.
   *
   * @throws IllegalArgumentException saying in one line what is wrong
   */
  static NpyHeader parse(String text) {
    return new Parser(text).dictionary();
  }

  private static final class Parser {
    private final String text;
    private int position;
    private String descr;
    private Boolean columnMajor;
    private List<Long> shape;

    Parser(String text) {
      this.text = text;
    }

    NpyHeader dictionary() {
      expect('{');
      Set<String> keys = new HashSet<>();
      while (!accept('}')) {
        String key = string();
        expect(':');
        if (!keys.add(key)) {
          throw malformed("the key '" + key + "' comes twice");
        }
        entry(key);
        if (!accept(',')) {
          expect('}');
          break;
        }
      }
      skipSpace();
      if (position < text.length() || keys.size() != 3) {
        throw malformed("it needs exactly the keys descr, fortran_order and shape");
      }
      return new NpyHeader(TYPES.get(descr.substring(1)), byteOrder(), columnMajor, shape);
    }

    private void entry(String key) {
      switch (key) {
        case "descr" -> descr = type();
        case "fortran_order" -> columnMajor = bool();
        case "shape" -> shape = tuple();
        default -> throw malformed("the key '" + key + "' is unknown");
      }
    }

    private String type() {
      skipSpace();
      if (peek() == '[') {
        throw new IllegalArgumentException(
            "entries must be numbers, got a structured type; save one plain array");
      }
      String type = string();
      if (type.contains("O")) {
        throw new IllegalArgumentException(
            "entries must be numbers, got Python objects, which only unpickling could read;"
                + " save numpy.asarray(G, dtype=float)");
      }
      // NumPy writes | for single bytes; of longer entries the order must be known
      boolean ordered = type.matches("[<>]..") || type.matches("\\|[biu]1");
      if (!ordered || !TYPES.containsKey(type.substring(1))) {
        throw new IllegalArgumentException(
            "entries must be float16, float32, float64, integers or bool, got '"
                + printable(type)
                + "'; save G.astype('<f8')");
      }
      return type;
    }

    private ByteOrder byteOrder() {
      return descr.charAt(0) == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    }

    private boolean bool() {
      skipSpace();
      for (String word : List.of("True", "False")) {
        if (text.startsWith(word, position)) {
          position += word.length();
          return word.equals("True");
        }
      }
      throw malformed("fortran_order must be True or False");
    }

    private List<Long> tuple() {
      List<Long> dimensions = new ArrayList<>();
      expect('(');
      while (!accept(')')) {
        dimensions.add(dimension());
        if (!accept(',')) {
          expect(')');
          break;
        }
      }
      return List.copyOf(dimensions);
    }

    private long dimension() {
      skipSpace();
      int start = position;
      while (position < text.length() && peek() >= '0' && peek() <= '9') {
        position++;
      }
      if (position == start || position - start > 18) {
        throw malformed("a dimension must be a nonnegative integer");
      }
      return Long.parseLong(text, start, position, 10);
    }

    private String string() {
      skipSpace();
      char quote = peek();
      int end = quote == '\'' || quote == '"' ? text.indexOf(quote, position + 1) : -1;
      if (end < 0) {
        throw malformed("a quoted name is missing");
      }
      String string = text.substring(position + 1, end);
      position = end + 1;
      return string;
    }

    private boolean accept(char wanted) {
      skipSpace();
      if (peek() != wanted) {
        return false;
      }
      position++;
      return true;
    }

    private void expect(char wanted) {
      if (!accept(wanted)) {
        throw malformed("'" + wanted + "' is missing");
      }
    }

    private void skipSpace() {
      while (position < text.length() && Character.isWhitespace(text.charAt(position))) {
        position++;
      }
    }

    /** The next character, or NUL at the end. */
    private char peek() {
      return position < text.length() ? text.charAt(position) : '\0';
    }

    private IllegalArgumentException malformed(String reason) {
      return new IllegalArgumentException(
          "the NumPy header must be a plain dictionary, got one where "
              + printable(reason)
              + " (character "
              + position
              + "); write the file with numpy.save");
    }
  }

  /** Text from a file as it may stand in a message: one short line. */
  static String printable(String text) {
    String line = text.replaceAll("\\P{Print}", "?");
    return line.length() > 80 ? line.substring(0, 80) + "…" : line;
  }
}
