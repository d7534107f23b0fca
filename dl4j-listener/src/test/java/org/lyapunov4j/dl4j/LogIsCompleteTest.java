// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;
import org.lyapunov4j.dl4j.checkpoint.SampleCheckpoints;
import org.slf4j.Logger;
import org.slf4j.helpers.MessageFormatter;

/** At level info a line and what nobody may miss, at level debug every entry. */
class LogIsCompleteTest {
  private final List<String> said = new ArrayList<>();
  private final Logger log =
      (Logger)
          Proxy.newProxyInstance(
              Logger.class.getClassLoader(),
              new Class<?>[] {Logger.class},
              (proxy, method, arguments) -> {
                Object[] values =
                    arguments.length == 2 && arguments[1] instanceof Object[] many
                        ? many
                        : java.util.Arrays.copyOfRange(arguments, 1, arguments.length);
                said.add(
                    method.getName()
                        + " "
                        + MessageFormatter.arrayFormat((String) arguments[0], values).getMessage());
                return null;
              });

  @Test
  void whatNobodyMayMissIsSaidOnce() {
    for (Checkpoint checkpoint : SampleCheckpoints.all()) {
      said.clear();
      LogSink sink = new LogSink(log);
      sink.accept(checkpoint);
      assertThat(said).contains("info " + checkpoint);
      List<String> cautions = CheckpointDocument.of(checkpoint).cautions();
      assertThat(cautions).isNotEmpty();
      for (String caution : cautions) {
        assertThat(Collections.frequency(said, "info run: " + caution)).as(caution).isEqualTo(1);
      }
      said.clear();
      sink.accept(checkpoint);
      assertThat(said)
          .noneMatch(line -> cautions.stream().anyMatch(c -> line.equals("info run: " + c)));
    }
  }

  @Test
  void everyEntryIsThereAtLevelDebug() {
    for (Checkpoint checkpoint : SampleCheckpoints.all()) {
      said.clear();
      new LogSink(log).accept(checkpoint);
      String whole =
          said.stream().filter(line -> line.startsWith("debug")).findFirst().orElseThrow();
      for (Entry entry : CheckpointDocument.of(checkpoint).entries()) {
        assertThat(whole).contains(entry.key() + " = " + entry.value());
      }
    }
  }
}
