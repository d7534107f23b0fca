// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A block of shell commands in a page of the documentation. What follows {@code #} on a line is
 * said about its commands.
 *
 * @param page the page, relative to the top of the project
 * @param commands in their order
 */
public record ShellBlock(Path page, List<Command> commands) {
  /** Where the commands are typed. */
  private static final Path TOP = Path.of("../..").toAbsolutePath().normalize();

  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(?:sh|bash|shell)\\n(.*?)^```");
  private static final Pattern WORD = Pattern.compile("(?:[^\\s'\"]|'[^']*'|\"[^\"]*\")+");
  private static final Pattern TIME =
      Pattern.compile("\\b(seconds?|minutes?|hours?)\\b|\\d (s|min|h)\\b|until Ctrl-C");

  /**
   * A command.
   *
   * @param line as it is typed
   * @param remark what is said about it, or empty
   */
  public record Command(String line, String remark) {
    /** Whether it starts a program of ours. */
    public boolean starts(Path jar) {
      return line.matches("java .*-jar " + Pattern.quote(jar.toString()) + "( .*)?");
    }

    /** Whether the remark says how long it takes. */
    public boolean saysHowLong() {
      return TIME.matcher(remark).find();
    }

    /** What our program gets to see. */
    public String[] arguments() {
      List<String> words = new ArrayList<>();
      Matcher matcher = WORD.matcher(line);
      while (matcher.find()) {
        words.add(matcher.group().replaceAll("['\"]", ""));
      }
      return words.subList(words.indexOf("-jar") + 2, words.size()).toArray(String[]::new);
    }

    @Override
    public String toString() {
      return line;
    }
  }

  /** All blocks of all pages. */
  public static List<ShellBlock> all() throws IOException {
    try (Stream<Path> files = Files.walk(TOP)) {
      return files
          .filter(file -> file.toString().endsWith(".md"))
          .map(TOP::relativize)
          .filter(page -> !page.toString().matches("(.*/)?(target|node_modules)/.*"))
          .sorted()
          .flatMap(ShellBlock::of)
          .toList();
    }
  }

  private static Stream<ShellBlock> of(Path page) {
    try {
      return BLOCK
          .matcher(Files.readString(TOP.resolve(page)))
          .results()
          .map(block -> new ShellBlock(page, commands(block.group(1))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Command> commands(String block) {
    return block
        .replaceAll("\\\\\\n\\s*", "")
        .lines()
        .map(line -> line.split("\\s+#\\s|^#\\s", 2))
        .flatMap(
            parts ->
                Arrays.stream(parts[0].split("&&"))
                    .map(line -> new Command(line.strip(), parts.length == 1 ? "" : parts[1])))
        .filter(command -> !command.line().isEmpty() && !command.line().matches("\\w+='[^']*'"))
        .toList();
  }

  @Override
  public String toString() {
    return page + ": " + commands;
  }
}
