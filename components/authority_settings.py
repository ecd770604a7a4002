"""Which certificate authorities there are: how a stack says where it is in a rotation of them. Pure."""

from typing import Final, Self

from pydantic import Field, model_validator

from components.setting_group import Group

FIRST: Final = 1


class AuthoritySettings(Group):
    """Generations of the four authorities, which change together.

    A rotation takes three steps, each rolled through all machines before the next: what will sign is trusted, then it
    signs, then what signed before is trusted no more. Any two neighbouring steps understand each other; a step left
    out does not: members and masters of the one would refuse those of the other.
    """

    signing: int = Field(default=FIRST, ge=FIRST)
    """The generation that signs leaf certificates."""
    trusted: tuple[int, ...] = (FIRST,)
    """The generations whose leaf certificates are believed."""

    @model_validator(mode="after")
    def it_is_a_step_of_a_rotation(self) -> Self:
        """One generation, or two that follow each other, the signing one among them."""
        first = min(self.trusted, default=0)
        if self.trusted not in ((first,), (first, first + 1)) or first < FIRST:
            raise ValueError(
                f"trusted {list(self.trusted)}; accepted: one generation, such as [1], or two that follow each other,"
                " such as [1, 2]"
            )
        if self.signing not in self.trusted:
            raise ValueError(
                f"signing {self.signing} is not among trusted {list(self.trusted)}: nobody would believe it"
            )
        return self

    @property
    def following(self) -> "AuthoritySettings":
        """The next step of a rotation; after the last one, the first of another."""
        newest = self.trusted[-1]
        if len(self.trusted) == 1:
            return AuthoritySettings(signing=newest, trusted=(newest, newest + 1))
        if self.signing != newest:
            return AuthoritySettings(signing=newest, trusted=self.trusted)
        return AuthoritySettings(signing=newest, trusted=(newest,))

    def reachable_from(self, before: "AuthoritySettings") -> bool:
        """Whether one step leads here from `before`, onward or back: whoever has not taken it yet is understood."""
        return self in (before, before.following) or before == self.following
