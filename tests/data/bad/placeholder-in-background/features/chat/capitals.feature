Feature: Capitals
  Background:
    Given the system prompt "You live in <country>."
  Scenario Outline: It knows <country>
    When I ask "What is the capital of <country>?"
    Then the reply mentions "<capital>"
    Examples:
      | country | capital |
      | France  | Paris   |
