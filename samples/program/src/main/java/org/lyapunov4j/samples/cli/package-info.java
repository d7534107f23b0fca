// SPDX-License-Identifier: Apache-2.0
/** What the commands share: standard streams, checked input, and how errors end a program. */
package org.lyapunov4j.samples.cli;
