/** Single keys that act, and two in a row such as `g a`. They can be switched off (WCAG 2.1.4). */
import { untrack } from 'svelte';
import { preferences } from './prefs.svelte';
import { Sequence } from './sequence';

export interface Shortcut {
  /** Keys as `KeyboardEvent.key` names them, with blanks between: `/`, `g a`, `Shift+X`. */
  readonly keys: string;
  /** What it does, in a few words. */
  readonly does: string;
  readonly act: () => void;
}

class Keys {
  shortcuts = $state.raw<readonly Shortcut[]>([]);
  #sequence = new Sequence();

  constructor() {
    addEventListener('keydown', (event) => this.#pressed(event));
  }

  /** Adds shortcuts until the function that it answers is called: `$effect(() => keys.add([...]))`. */
  add(further: readonly Shortcut[]): () => void {
    // Effects add theirs and must not run again because of it.
    this.shortcuts = [...untrack(() => this.shortcuts), ...further];
    return () => {
      this.shortcuts = this.shortcuts.filter((one) => !further.includes(one));
    };
  }

  #pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    const writes = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    // Dialogs have the keyboard to themselves, and so has whoever writes.
    if (!preferences.keys || (writes && !isToggle(target)) || document.querySelector('dialog[open]')) return;
    const known = this.shortcuts.map((one) => one.keys);
    const found = this.#sequence.press(event.key, known, event.timeStamp);
    // Of two with the same keys, the one added last counts: the page's before the shell's.
    const shortcut = found === null ? undefined : this.shortcuts.findLast((one) => one.keys === found);
    if (!shortcut) return;
    event.preventDefault();
    shortcut.act();
  }
}

function isToggle(element: HTMLElement): boolean {
  return element instanceof HTMLInputElement && /^(checkbox|radio|button)$/.test(element.type);
}

export const keys = new Keys();
