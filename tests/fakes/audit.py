
    def of(self, event: str) -> list[dict[str, object]]:
        """The facts of every event of this name."""
        return [facts for name, facts in self.events if name == event]
