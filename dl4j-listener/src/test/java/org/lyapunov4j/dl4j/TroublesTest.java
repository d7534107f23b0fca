// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

class TroublesTest {
  private final List<String> levels = new ArrayList<>();

  @Test
  void theFirstOfEachActivityIsAWarning() {
    Troubles troubles = new Troubles(logger(null), false);
    troubles.report("a", new IllegalStateException("one"));
    troubles.report("a", new IllegalStateException("two"));
    troubles.report("b", new OutOfMemoryError());
    assertThat(levels).containsExactly("warn", "debug", "warn");
    assertThat(troubles.count()).isEqualTo(3);
  }

  @Test
  void aFailingLoggerIsNoTrouble() {
    Troubles troubles = new Troubles(logger(new OutOfMemoryError("injected")), false);
    troubles.report("a", new IllegalStateException("one"));
    assertThat(troubles.count()).isEqualTo(2);
  }

  @Test
  void strictThrowsButNeverAnError() {
    Troubles troubles = new Troubles(logger(null), true);
    IllegalStateException thrown = new IllegalStateException("one");
    assertThatThrownBy(() -> troubles.report("a", thrown)).isSameAs(thrown);
    OutOfMemoryError error = new OutOfMemoryError("injected");
    assertThatThrownBy(() -> troubles.report("a", error))
        .isInstanceOf(IllegalStateException.class)
        .hasCause(error);
  }

  private Logger logger(Throwable failure) {
    return (Logger)
        Proxy.newProxyInstance(
            Logger.class.getClassLoader(),
            new Class<?>[] {Logger.class},
            (proxy, method, arguments) -> {
              levels.add(method.getName());
              if (failure != null) {
                throw failure;
              }
              return null;
            });
  }
}
