"""The poems: the sizes the tutorial's output shows, and the form they all have."""

from tests.case import Case, our_poem


class Poems(Case):
    """Donne, Yeats and Poe, as the servers send them."""

    def test_the_sizes_are_those_in_the_tutorials_output(self):
        """3003, 623 and 653 bytes; Yeats has four apostrophes of three bytes each."""
        for name, num_bytes, num_chars in (
                ("ecstasy.txt", 3003, 3003), ("fascination.txt", 623, 615),
                ("science.txt", 653, 653)):
            with self.subTest(name):
                poem = our_poem(name)
                self.assertEqual((len(poem), len(poem.decode())), (num_bytes, num_chars))
        self.assertEqual(our_poem("fascination.txt").decode().count("\u2019"), 4)

    def test_each_has_a_title_a_body_and_an_author(self):
        """Title, empty line, poem, empty line, author; no space at the end of a line.

        Every second line of Donne's is indented by nine spaces, and no other line is.
        """
        for name, title, author, indents in (
                ("ecstasy.txt", "The Ecstasy", "John Donne", [0, 9] * 38),
                ("fascination.txt", "The Fascination of what's Difficult", "William Butler Yeats",
                 [0] * 13),
                ("science.txt", "Sonnet - To Science", "Edgar Allan Poe", [0] * 14)):
            with self.subTest(name):
                text = our_poem(name).decode()
                lines = text.split("\n")
                self.assertEqual(lines[:2], [title, ""])
                self.assertEqual(lines[-3:], ["", f"    -- {author}", ""])
                self.assertTrue(all(lines[2:-3]))
                self.assertEqual([line for line in lines if line != line.rstrip()], [])
                self.assertEqual([len(line) - len(line.lstrip()) for line in lines[2:-3]], indents)
